//! The XML that `meta-data` prints.

use crate::Action;
use crate::metadata::{ActionSpec, Dialect, MetaData};
use crate::parameter::{Declared, Text};
use crate::value::ContentType;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};
use std::io;

type Xml = Writer<Vec<u8>>;

impl MetaData {
    /// The document in `dialect`, ready to print.
    pub fn render(&self, dialect: Dialect) -> String {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        let written = self.write(&mut xml, dialect);
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        let mut text = String::from_utf8_lossy(&xml.into_inner()).into_owned();
        text.push('\n');
        text
    }

    fn write(&self, xml: &mut Xml, dialect: Dialect) -> io::Result<()> {
        // No encoding: UTF-8 is the default, and crmsh cannot parse a document that names it.
        xml.write_event(Event::Decl(BytesDecl::new("1.0", None, None)))?;
        xml.write_event(Event::DocType(BytesText::from_escaped(
            "resource-agent SYSTEM \"ra-api-1.dtd\"",
        )))?;
        let root = BytesStart::new("resource-agent")
            .with_attributes([("name", self.name), ("version", self.version)]);
        within(xml, root, |xml| {
            let version = match dialect {
                Dialect::V1_0 => "1.0",
                Dialect::V1_1 => "1.1",
            };
            xml.create_element("version")
                .write_text_content(BytesText::new(version))?;
            description(xml, dialect, "longdesc", self.long)?;
            description(xml, dialect, "shortdesc", self.short)?;
            within(xml, BytesStart::new("parameters"), |xml| {
                self.parameters
                    .iter()
                    .try_for_each(|parameter| write_parameter(xml, dialect, *parameter))
            })?;
            within(xml, BytesStart::new("actions"), |xml| {
                self.actions
                    .iter()
                    .filter(|spec| dialect == Dialect::V1_1 || belongs_in_1_0(spec.action))
                    .try_for_each(|spec| write_action(xml, spec))
            })
        })
    }
}

/// `reload-agent` is not in the DTD. `reload` is, but a caller that reads 1.0 takes it for "parameters that are not
/// unique take effect without a restart" (Pacemaker before 2.1), which is not true of ours: such a caller restarts.
const fn belongs_in_1_0(action: Action) -> bool {
    !matches!(action, Action::Reload | Action::ReloadAgent)
}

fn within(
    xml: &mut Xml,
    start: BytesStart<'_>,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let end = start.to_end().into_owned();
    xml.write_event(Event::Start(start))?;
    content(xml)?;
    xml.write_event(Event::End(end))
}

fn description(xml: &mut Xml, dialect: Dialect, element: &str, text: Text) -> io::Result<()> {
    let mut one = |lang, text| {
        xml.create_element(element)
            .with_attribute(("lang", lang))
            .write_text_content(BytesText::new(text))
            .map(drop)
    };
    one("en", text.en)?;
    if dialect == Dialect::V1_1 {
        one("zh-CN", text.zh)?;
    }
    Ok(())
}

fn write_parameter(xml: &mut Xml, dialect: Dialect, parameter: &dyn Declared) -> io::Result<()> {
    let flag = |set| if set { "1" } else { "0" };
    let mut start = BytesStart::new("parameter");
    start.push_attribute(("name", parameter.name()));
    match (dialect, parameter.group()) {
        (Dialect::V1_0, group) => start.push_attribute(("unique", flag(group.is_some()))),
        (Dialect::V1_1, Some(group)) => start.push_attribute(("unique-group", group)),
        (Dialect::V1_1, None) => {}
    }
    start.push_attribute(("required", flag(parameter.is_required())));
    if dialect == Dialect::V1_1 {
        start.push_attribute(("reloadable", flag(parameter.is_reloadable())));
    }
    within(xml, start, |xml| {
        description(xml, dialect, "longdesc", parameter.long())?;
        description(xml, dialect, "shortdesc", parameter.short())?;
        let kind = match (parameter.content(), dialect) {
            (ContentType::Boolean, _) => "boolean",
            (ContentType::Integer, _) => "integer",
            (ContentType::Select, Dialect::V1_1) => "select",
            (ContentType::String | ContentType::Select, _) => "string",
        };
        let mut content = BytesStart::new("content").with_attributes([("type", kind)]);
        if let Some(default) = parameter.default_value() {
            content.push_attribute(("default", default));
        }
        if kind != "select" {
            return xml.write_event(Event::Empty(content));
        }
        within(xml, content, |xml| {
            parameter.options().iter().try_for_each(|word| {
                xml.write_event(Event::Empty(
                    BytesStart::new("option").with_attributes([("value", *word)]),
                ))
            })
        })
    })
}

fn write_action(xml: &mut Xml, spec: &ActionSpec) -> io::Result<()> {
    let mut start = BytesStart::new("action");
    start.push_attribute(("name", spec.action.name()));
    start.push_attribute(("timeout", format!("{}s", spec.timeout.as_secs()).as_str()));
    if let Some(interval) = spec.interval {
        start.push_attribute(("interval", format!("{}s", interval.as_secs()).as_str()));
    }
    if let Some(depth) = spec.depth {
        start.push_attribute(("depth", depth.number().to_string().as_str()));
    }
    if let Some(role) = spec.role {
        start.push_attribute(("role", role.word()));
    }
    xml.write_event(Event::Empty(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckLevel;
    use crate::Parameter;

    const fn text(en: &'static str) -> Text {
        Text { en, zh: "说明" }
    }
    static PORT: Parameter<u64> = Parameter::new("port", text("Port <SQL>"), text("long"))
        .default("26257")
        .bounds(1, 65535);
    static FLAG: Parameter<bool> = Parameter::new("flag", text("Flag"), text("long")).reloadable();
    static ID: Parameter<String> = Parameter::new("id", text("Id"), text("long"))
        .required()
        .unique_group("id");
    static TABLE: MetaData = MetaData {
        name: "sample",
        version: "1",
        short: text("Sample"),
        long: text("Sample & more"),
        parameters: &[&PORT, &FLAG, &ID],
        actions: &[
            ActionSpec::new(Action::Start, 60),
            ActionSpec::new(Action::Stop, 60),
            ActionSpec::monitor(20, 10, CheckLevel::Service),
            ActionSpec::new(Action::Reload, 10),
            ActionSpec::new(Action::ReloadAgent, 10),
            ActionSpec::new(Action::MetaData, 5),
            ActionSpec::new(Action::ValidateAll, 5),
        ],
    };

    #[test]
    fn the_old_dialect_has_only_what_its_dtd_knows() {
        let xml = TABLE.render(Dialect::V1_0);
        for absent in ["reload", "unique-group", "zh-CN", "select"] {
            assert!(!xml.contains(absent), "{absent} in {xml}");
        }
        assert!(xml.starts_with("<?xml version=\"1.0\"?>"), "{xml}");
        assert!(xml.contains("<version>1.0</version>") && xml.contains(r#"unique="1""#));
    }

    #[test]
    fn the_new_dialect_says_everything_and_escapes() {
        let xml = TABLE.render(Dialect::V1_1);
        for present in [
            "reload-agent",
            r#"unique-group="id""#,
            "zh-CN",
            r#"reloadable="1""#,
            "Sample &amp; more",
            "Port &lt;SQL",
        ] {
            assert!(xml.contains(present), "{present} not in {xml}");
        }
    }

    #[test]
    fn a_sound_table_has_no_defects() {
        assert_eq!(TABLE.defects(), Vec::<String>::new());
    }
}
