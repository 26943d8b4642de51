//! Reading what an agent says of itself.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// A parameter as the meta-data tell it.
#[derive(Debug, Default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `type` of its content.
    pub kind: String,
    /// Its default.
    pub default: Option<String>,
    /// Whether no resource can be made without it.
    pub required: bool,
    /// Whether a change takes effect without a restart.
    pub reloadable: bool,
}

/// An action as the meta-data tell it.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// Its `timeout`, as written.
    pub timeout: Option<String>,
}

/// What the tests need to know of a document.
#[derive(Debug, Default)]
pub struct MetaData {
    /// Text of the element `version`: the OCF dialect.
    pub version: String,
    /// In the order of the document.
    pub parameters: Vec<Parameter>,
    /// In the order of the document.
    pub actions: Vec<Action>,
}

impl MetaData {
    /// Reads a document; panics where it is not one.
    pub fn parse(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        let mut found = Self::default();
        let mut in_version = false;
        loop {
            match reader
                .read_event()
                .unwrap_or_else(|error| panic!("{error} in {text}"))
            {
                Event::Start(element) | Event::Empty(element) => {
                    in_version = element.name().as_ref() == "version";
                    found.take(&element);
                }
                Event::Text(text) if in_version => {
                    found.version = text.xml10_content().into_owned();
                    in_version = false;
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    fn take(&mut self, element: &BytesStart<'_>) {
        let attribute = |name: &str| {
            let attribute = element
                .try_get_attribute(name)
                .expect("attributes are well-formed")?;
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .expect("attributes are UTF-8");
            Some(value.into_owned())
        };
        match element.name().as_ref() {
            "parameter" => self.parameters.push(Parameter {
                name: attribute("name").unwrap_or_default(),
                required: attribute("required").as_deref() == Some("1"),
                reloadable: attribute("reloadable").as_deref() == Some("1"),
                ..Parameter::default()
            }),
            "content" => {
                let parameter = self.parameters.last_mut().expect("content is inside a parameter");
                parameter.kind = attribute("type").unwrap_or_default();
                parameter.default = attribute("default");
            }
            "action" => self.actions.push(Action {
                name: attribute("name").unwrap_or_default(),
                timeout: attribute("timeout"),
            }),
            _ => {}
        }
    }
}
