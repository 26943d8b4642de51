//! Which resources get our agents, what becomes of the parameters that ours do not have, and which stay with their agent, and why.

use super::edit;
use super::inspect::QUESTION;
use super::journal::{Exchange, Side};
use crate::context::Context;
use crate::design::{parameters, resources};
use crate::texts::migrate as texts;
use anyhow::{Result, bail};
use host::Deadline;
use ocf::parse_boolean;
use pacemaker::cib::{self, Cib, agent_of};
use pacemaker::compare::compare;
use pacemaker::live::Live;
use pacemaker::merge::merge;
use pacemaker::model::{Configuration, Pairs, Primitive, Resource, Spelling};
use pacemaker::xml::Element;
use serde::Serialize;
use site::node::{self, Node};
use site::roles::{self, Roles};
use site::tables;

/// Where Pacemaker has the agents, on every distribution.
const AGENTS: &str = "/usr/lib/ocf/resource.d";
/// What is before an agent's sentence.
const REASON: &str = "ocf-exit-reason:";

/// What becomes of a parameter of the other agent.
#[derive(Clone, Copy)]
enum Fate {
    /// Ours does the same without it.
    Same,
    /// Ours has it under this name.
    Named(&'static str),
    /// Ours knows the value by this word.
    Spelt(&'static str),
    /// It has no effect any more, which no client notices.
    Lost,
}

/// A parameter; the value that this is about, as far as its first comma (`None`: any); its fate.
type Rule = (&'static str, Option<&'static str>, Fate);

/// Of `ocf:heartbeat:IPaddr2` and, in capitals, of the older `ocf:heartbeat:IPaddr`. What is neither here nor in our table is needed.
const ADDRESS: [Rule; 11] = [
    ("arp_bg", None, Fate::Same),
    ("arp_sender", None, Fate::Same),
    ("lvs_ipv6_addrlabel_value", None, Fate::Same),
    ("run_arping", None, Fate::Same),
    ("flush_routes", None, Fate::Lost),
    ("proto", None, Fate::Lost),
    ("send_arp_opts", None, Fate::Lost),
    ("ARP_BACKGROUND", None, Fate::Same),
    ("ARP_INTERVAL_MS", None, Fate::Named("arp_interval")),
    ("ARP_NETMASK", None, Fate::Lost),
    ("ARP_REPEAT", None, Fate::Named("arp_count")),
];

/// Of `ocf:heartbeat:Filesystem`.
const FILE_SYSTEM: [Rule; 9] = [
    ("fast_stop", None, Fate::Same),
    ("statusfile_prefix", None, Fate::Same),
    // That is: not if it has a journal.
    ("run_fsck", Some("auto"), Fate::Same),
    // How the users of a mount are found is ours to choose.
    ("force_unmount", Some("safe"), Fate::Spelt("true")),
    ("force_unmount", Some("true"), Fate::Spelt("true")),
    ("force_unmount", Some("false"), Fate::Spelt("false")),
    ("kill_signals", None, Fate::Lost),
    ("signal_delay", None, Fate::Lost),
    ("term_signals", None, Fate::Lost),
];

/// What is exchanged and what is not.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) kept: Vec<Kept>,
    /// A sentence for each parameter that has no effect any more.
    pub(super) lost: Vec<String>,
}

/// A resource that stays with its agent.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) why: String,
}

impl Kept {
    /// As a sentence.
    pub(super) fn sentence(&self, context: &Context) -> String {
        let values = [
            ("resource", self.id.as_str()),
            ("agent", &self.agent),
            ("why", &self.why),
        ];
        texts::KEPT.fill(context.language, &values)
    }
}

/// Looks at the database's own resources. `installed`: as whom, what and where the nodes run it, which is written down as `plan` does.
pub(super) fn choose(
    context: &Context,
    document: &Element,
    cib: &Cib,
    roles: &Roles<'_>,
    installed: &Pairs,
) -> Result<Chosen> {
    let chooser = Chooser {
        context,
        document,
        cib,
    };
    let mut chosen = Chosen::default();
    for one in roles.all() {
        let agent = one.agent();
        let Some(old) = edit::primitive(document, &one.id) else {
            continue;
        };
        let new = match agent.as_str() {
            "systemd:kaiwudb" | "systemd:kaiwudb.service" => {
                chooser.with_parameters(old, &resources::database(&one.id, installed))
            }
            roles::LINBIT => {
                chooser.parameters_are_known(one)?;
                chooser.replaced(old, &resources::drbd(&one.id, ""))
            }
            roles::SHELL_FILE_SYSTEM => {
                let ours = resources::file_system(&one.id, Pairs::new());
                chooser.taken_over(one, old, &ours, &FILE_SYSTEM, &mut chosen.lost)
            }
            other if roles::SHELL_ADDRESSES.contains(&other) => {
                let directory = roles.file_system.and_then(|one| one.parameter("directory"));
                let list = directory
                    .and_then(|directory| parameters::tickle_dir(cib, roles, Some(one), directory, false));
                let ours = resources::address(&one.id, list.into_iter().collect());
                chooser.taken_over(one, old, &ours, &ADDRESS, &mut chosen.lost)
            }
            _ => continue,
        };
        match new {
            Ok(new) => chosen.exchanges.push(Exchange {
                id: one.id.clone(),
                guide: old.text(),
                ours: new.text(),
            }),
            Err(why) => chosen.kept.push(Kept {
                id: one.id.clone(),
                agent,
                why,
            }),
        }
    }
    Ok(chosen)
}

/// Asks our agents on every node whether they could work with what they are given, and leaves what they refuse with its agent.
pub(super) fn that_can_work(context: &Context, nodes: &[Node], chosen: &mut Chosen) {
    let asked: Vec<Exchange> = std::mem::take(&mut chosen.exchanges);
    for exchange in asked {
        let refusal = nodes
            .iter()
            .find_map(|node| Some((node, refusal(context, &node.name, &exchange.element(Side::Ours))?)));
        match refusal {
            None => chosen.exchanges.push(exchange),
            Some((node, why)) => chosen.kept.push(Kept {
                agent: agent_of(&exchange.element(Side::Guide)),
                id: exchange.id,
                why: format!("{}: {why}", node.name),
            }),
        }
    }
}

/// What the agent of a file system or an address says against its parameters on this node. The others have stricter examinations of their own.
fn refusal(context: &Context, node: &str, new: &Element) -> Option<String> {
    let agent = agent_of(new);
    if ![roles::FILE_SYSTEM, roles::ADDRESS].contains(&agent.as_str()) {
        return None;
    }
    let program = agent
        .split(':')
        .skip(1)
        .fold(AGENTS.to_owned(), |path, part| path + "/" + part);
    let mut words = vec![
        "env".to_owned(),
        "OCF_ROOT=/usr/lib/ocf".to_owned(),
        "OCF_CHECK_LEVEL=10".to_owned(),
        format!("OCF_RESOURCE_INSTANCE={}", new.id()),
    ];
    words.extend(
        new.path(&["instance_attributes", "nvpair"])
            .into_iter()
            .filter_map(|pair| Some(format!("OCF_RESKEY_{}={}", pair.get("name")?, pair.get("value")?))),
    );
    words.extend([program, "validate-all".to_owned()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let why = node::execute(context, node, &words, "", Deadline::after(QUESTION)).err()?;
    Some(why.rsplit(REASON).next().unwrap_or_default().trim().to_owned())
}

struct Chooser<'a> {
    context: &'a Context,
    document: &'a Element,
    cib: &'a Cib,
}

impl Chooser<'_> {
    fn say(&self, text: site::language::Text, values: &[(&str, &str)]) -> String {
        text.fill(self.context.language, values)
    }

    /// The primitive with the agent and the operations of another one; everything else stays as it is.
    fn replaced(&self, old: &Element, new: &Primitive) -> Result<Element, String> {
        if old.get("template").is_some() {
            return Err(self.say(texts::ELSEWHERE, &[]));
        }
        let spelling = Spelling::of_schema(self.document.get("validate-with").unwrap_or_default());
        let mut element = old.clone();
        new.name_agent(&mut element);
        let operations = new.operations(spelling);
        match element
            .children
            .iter_mut()
            .find(|child| child.name == "operations")
        {
            Some(place) => *place = operations,
            None => element.children.push(operations),
        }
        Ok(element)
    }

    /// The same, with parameters.
    fn with_parameters(&self, old: &Element, new: &Primitive) -> Result<Element, String> {
        let mut element = self.replaced(old, new)?;
        let wanted = new.element(Spelling::of_schema(
            self.document.get("validate-with").unwrap_or_default(),
        ));
        for set in wanted.all("instance_attributes") {
            let place = element.child_or_new(&set.name);
            if place.get("id").is_none() {
                place.set("id", set.id());
            }
            // A unit takes none, so what stands there has been without effect.
            place
                .children
                .retain(|pair| set.children.iter().all(|new| new.get("name") != pair.get("name")));
            place.children.extend(set.children.iter().cloned());
        }
        Ok(element)
    }

    /// The primitive with our agent, with its parameters as ours has them, and its operations where they are as good as those that ours
    /// advises. `Err`: why it has to stay.
    fn taken_over(
        &self,
        one: &cib::Primitive,
        old: &Element,
        ours: &Primitive,
        rules: &[Rule],
        lost: &mut Vec<String>,
    ) -> Result<Element, String> {
        let holds_it = |resource: &&cib::Resource| resource.primitives().iter().any(|held| held.id == one.id);
        let top = self.cib.resources().iter().find(holds_it);
        if !matches!(top, Some(cib::Resource::Primitive(_) | cib::Resource::Group(_))) {
            return Err(self.say(texts::CLONED, &[]));
        }
        if !self.says_all_itself(old) {
            return Err(self.say(texts::ELSEWHERE, &[]));
        }
        let mut new = old.clone();
        ours.name_agent(&mut new);
        let mut without_effect = Vec::new();
        for set in new
            .children
            .iter_mut()
            .filter(|set| set.name == "instance_attributes")
        {
            let pairs = std::mem::take(&mut set.children);
            for mut pair in pairs {
                let (name, value) = (
                    pair.get("name").unwrap_or_default(),
                    pair.get("value").unwrap_or_default(),
                );
                let first = value.split(',').next();
                let rule = rules
                    .iter()
                    .find(|(known, only, _)| *known == name && (only.is_none() || *only == first));
                let is_known = || {
                    tables::parameters(&ours.agent)
                        .iter()
                        .any(|known| known.name() == name)
                };
                match rule.map(|(.., fate)| *fate) {
                    Some(Fate::Same) => continue,
                    Some(Fate::Named(other)) => pair.set("name", other),
                    Some(Fate::Spelt(other)) => pair.set("value", other),
                    None if is_known() => {}
                    // Something is switched off that ours does not have.
                    _ if value.is_empty() || parse_boolean(value) == Some(false) => continue,
                    Some(Fate::Lost) => {
                        let values = [
                            ("resource", one.id.as_str()),
                            ("parameter", name),
                            ("value", value),
                            ("agent", &ours.agent),
                        ];
                        without_effect.push(self.say(texts::PARAMETER_LOST, &values));
                        continue;
                    }
                    None => {
                        let values = [("parameter", name), ("value", value), ("agent", &ours.agent)];
                        return Err(self.say(texts::PARAMETER_NEEDED, &values));
                    }
                }
                set.children.push(pair);
            }
        }
        let element = self.completed(old, &new, ours)?;
        lost.append(&mut without_effect);
        Ok(element)
    }

    /// Whether agent and parameters stand in the primitive itself, for every node alike, and nobody else refers to them.
    fn says_all_itself(&self, old: &Element) -> bool {
        let sets = || old.all("instance_attributes");
        let is_own = |element: &Element| element.get("id-ref").is_none();
        let ids: Vec<&str> = sets().flat_map(Element::descendants).map(Element::id).collect();
        let is_shared = self
            .document
            .descendants()
            .into_iter()
            .any(|element| element.get("id-ref").is_some_and(|id| ids.contains(&id)));
        old.get("template").is_none()
            && !is_shared
            && sets().all(|set| set.child("rule").is_none() && set.descendants().into_iter().all(is_own))
    }

    /// The new primitive with what `ours` has besides: operations that are lacking, or take too little time; parameters.
    fn completed(&self, old: &Element, new: &Element, ours: &Primitive) -> Result<Element, String> {
        let exchange = Exchange {
            id: ours.id.clone(),
            guide: old.text(),
            ours: new.text(),
        };
        let mut changed = self.document.clone();
        edit::exchange(&mut changed, std::slice::from_ref(&exchange), Side::Ours);
        let live = Live::of(changed, true)?;
        let wanted = Configuration {
            resources: vec![Resource::Primitive(ours.clone())],
            ..Configuration::default()
        };
        let merged = merge(&live, &compare(&live, &wanted));
        Ok(merged.by_id(&ours.id).unwrap_or(new).clone())
    }

    fn parameters_are_known(&self, old: &cib::Primitive) -> Result<()> {
        let known = tables::parameters(roles::DRBD);
        let unknown = old
            .parameters()
            .find(|(name, _)| !known.iter().any(|known| known.name() == *name));
        match unknown {
            Some((name, _)) => bail!(self.say(
                texts::UNKNOWN_PARAMETER,
                &[("resource", &old.id), ("parameter", name)],
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::fixture;
    use crate::ui::output::Output;
    use site::roles::Site;

    /// The guide's cluster, and another service.
    const GUIDE: &str = r#"<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources>
        <primitive id="ClusterIP" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="i"><nvpair id="i1" name="ip" value="192.0.2.100"/>
          <nvpair id="i2" name="cidr_netmask" value="24"/></instance_attributes>
          <operations><op id="im" name="monitor" interval="30s" on-fail="restart"/><op id="is" name="stop" interval="0s" timeout="99s"/></operations></primitive>
        <group id="G"><primitive id="KaiwuFS" class="ocf" provider="heartbeat" type="Filesystem"><instance_attributes id="f">
          <nvpair id="f1" name="device" value="/dev/drbd3"/><nvpair id="f2" name="directory" value="/var/lib/kaiwudb"/><nvpair id="f3" name="fstype" value="ext4"/>
          </instance_attributes></primitive>
          <primitive id="KaiwuDB" class="systemd" type="kaiwudb.service"/></group>
        <group id="W"><primitive id="WebFS" class="ocf" provider="heartbeat" type="Filesystem"><instance_attributes id="w"><nvpair id="w1" name="directory" value="/srv"/>
          </instance_attributes></primitive><primitive id="WebIP" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="wi">
          <nvpair id="wi1" name="ip" value="192.0.2.7"/></instance_attributes></primitive></group>
        </resources><constraints><rsc_colocation id="c" rsc="ClusterIP" with-rsc="KaiwuDB" score="INFINITY"/></constraints></configuration><status/></cib>"#;

    fn chosen(document: &str) -> Chosen {
        let context = Context {
            site: fixture::context(""),
            output: Output::new(false, false),
        };
        let document = Element::parse(document).unwrap();
        let cib = cib::of(&document).unwrap();
        let site = Site {
            data_root: "/var/lib/kaiwudb".to_owned(),
            ..Site::default()
        };
        let roles = Roles::of(&cib, &site);
        assert_eq!(roles.doubts, []);
        let installed = named(&[("data_root", "/var/lib/kaiwudb"), ("user", "kaiwudb")]);
        choose(&context, &document, &cib, &roles, &installed).unwrap()
    }

    fn guide_with(from: &str, to: &str) -> String {
        assert!(GUIDE.contains(from), "{from}");
        GUIDE.replacen(from, to, 1)
    }

    /// The guide's address with these parameters besides, of this agent.
    fn address_with(agent: &str, parameters: &[(&str, &str)]) -> String {
        let pair = |(name, value): &(&str, &str)| {
            format!("<nvpair id=\"i-{name}\" name=\"{name}\" value=\"{value}\"/>")
        };
        let pairs = parameters.iter().map(pair).collect::<Vec<_>>().concat();
        guide_with("type=\"IPaddr2\"", &format!("type=\"{agent}\"")).replacen(
            "value=\"24\"/>",
            &format!("value=\"24\"/>{pairs}"),
            1,
        )
    }

    /// What is exchanged: agent and parameters as ours has them.
    fn ours(chosen: &Chosen, id: &str) -> Option<(String, Vec<(String, String)>)> {
        let exchange = chosen.exchanges.iter().find(|exchange| exchange.id == id)?;
        let element = exchange.element(Side::Ours);
        let pairs = element.path(&["instance_attributes", "nvpair"]).into_iter();
        let word = |pair: &Element, name: &str| pair.get(name).unwrap_or_default().to_owned();
        let pairs = pairs
            .map(|pair| (word(pair, "name"), word(pair, "value")))
            .collect();
        Some((agent_of(&element), pairs))
    }

    fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        resources::named(pairs)
    }

    const ADDRESS: [(&str, &str); 2] = [("ip", "192.0.2.100"), ("cidr_netmask", "24")];

    #[test]
    fn the_databases_own_are_taken_along_and_nobody_elses() {
        let chosen = chosen(GUIDE);
        let mut ids: Vec<&str> = chosen.exchanges.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["ClusterIP", "KaiwuDB", "KaiwuFS"]);
        assert!(chosen.kept.is_empty() && chosen.lost.is_empty(), "{chosen:?}");
        // The address does not start after the file system.
        let address = ours(&chosen, "ClusterIP").unwrap();
        assert_eq!(address, (roles::ADDRESS.to_owned(), named(&ADDRESS)));
        assert_eq!(ours(&chosen, "KaiwuFS").unwrap().0, roles::FILE_SYSTEM);
        // What MODE says, which the server's account can change, is written down.
        let database = ours(&chosen, "KaiwuDB").unwrap();
        let installed = named(&[("data_root", "/var/lib/kaiwudb"), ("user", "kaiwudb")]);
        assert_eq!(database, (roles::DATABASE.to_owned(), installed));
        let address = &chosen.exchanges.iter().find(|one| one.id == "ClusterIP").unwrap();
        let element = address.element(Side::Ours);
        let op = |id: &str, name: &str| element.by_id(id).unwrap().get(name).map(str::to_owned);
        // What is as good as advised stays, and what was said besides.
        assert_eq!(op("is", "timeout").as_deref(), Some("99s"));
        assert_eq!(op("im", "interval").as_deref(), Some("10s"));
        assert_eq!(op("im", "on-fail").as_deref(), Some("restart"));
        let levels = element.path(&["operations", "op", "instance_attributes", "nvpair"]);
        assert_eq!(levels[0].get("value"), Some("10"));
        // And the way back.
        let mut changed = Element::parse(GUIDE).unwrap();
        assert!(edit::exchange(&mut changed, &chosen.exchanges, Side::Ours));
        assert!(edit::exchange(&mut changed, &chosen.exchanges, Side::Guide));
        assert_eq!(changed, Element::parse(GUIDE).unwrap());
    }

    #[test]
    fn clients_are_listed_on_the_store_where_the_address_starts_after_it() {
        let order = "<rsc_order id=\"o\" first=\"KaiwuDB\" then=\"ClusterIP\"/></constraints>";
        let list = [ADDRESS.as_slice(), &[("tickle_dir", "/var/lib/kaiwudb")]].concat();
        let found = ours(&chosen(&guide_with("</constraints>", order)), "ClusterIP");
        assert_eq!(found.unwrap().1, named(&list));
    }

    #[test]
    fn every_address_of_the_database_is_taken_along() {
        let six = "<primitive id=\"SixIP\" class=\"ocf\" provider=\"heartbeat\" type=\"IPaddr2\"><instance_attributes id=\"s\">\
                   <nvpair id=\"s1\" name=\"ip\" value=\"2001:db8::9\"/></instance_attributes></primitive></resources>";
        let with =
            "<rsc_colocation id=\"c6\" rsc=\"SixIP\" with-rsc=\"KaiwuDB\" score=\"INFINITY\"/></constraints>";
        let document = guide_with("</resources>", six).replacen("</constraints>", with, 1);
        let chosen = chosen(&document);
        assert_eq!(ours(&chosen, "SixIP").unwrap().0, roles::ADDRESS);
        assert!(ours(&chosen, "ClusterIP").is_some());
    }

    #[test]
    fn what_ours_has_under_another_name_or_does_not_need() {
        let chosen = chosen(&address_with(
            "IPaddr2",
            &[
                ("arp_count", "7"),
                ("arp_bg", "false"),
                ("run_arping", "true"),
                ("lvs_support", "false"),
                ("unique_clone_address", "no"),
                ("network_namespace", ""),
                ("flush_routes", "true"),
            ],
        ));
        let expected = [ADDRESS.as_slice(), &[("arp_count", "7")]].concat();
        assert_eq!(ours(&chosen, "ClusterIP").unwrap().1, named(&expected));
        assert_eq!(chosen.lost.len(), 1);
        assert!(chosen.lost[0].contains("flush_routes=true"), "{chosen:?}");
        let old = address_with(
            "IPaddr",
            &[
                ("ARP_REPEAT", "3"),
                ("ARP_INTERVAL_MS", "300"),
                ("ARP_BACKGROUND", "yes"),
            ],
        );
        let expected = [ADDRESS.as_slice(), &[("arp_count", "3"), ("arp_interval", "300")]].concat();
        assert_eq!(
            ours(&self::chosen(&old), "ClusterIP").unwrap().1,
            named(&expected)
        );
        for (before, after) in [("safe", "true"), ("true,xargs,nops", "true"), ("false", "false")] {
            let pairs = format!(
                "value=\"ext4\"/><nvpair id=\"f4\" name=\"force_unmount\" value=\"{before}\"/><nvpair id=\"f5\" name=\"run_fsck\" value=\"auto\"/>\
                 <nvpair id=\"f6\" name=\"fast_stop\" value=\"yes\"/>"
            );
            let found = self::chosen(&guide_with("value=\"ext4\"/>", &pairs));
            let (_, parameters) = ours(&found, "KaiwuFS").unwrap();
            assert_eq!(parameters[3..], named(&[("force_unmount", after)]));
        }
    }

    #[test]
    fn what_ours_cannot_stays_and_is_told() {
        let needed = [
            ("IPaddr2", "clusterip_hash", "sourceip"),
            ("IPaddr2", "lvs_support", "true"),
            ("IPaddr2", "network_namespace", "blue"),
            ("IPaddr2", "mac", "01:00:5e:00:00:01"),
            ("IPaddr", "local_start_script", "/bin/true"),
            ("IPaddr2", "invented", "1"),
        ];
        for (agent, name, value) in needed {
            let chosen = chosen(&address_with(agent, &[(name, value)]));
            assert!(ours(&chosen, "ClusterIP").is_none(), "{name}");
            assert!(ours(&chosen, "KaiwuFS").is_some() && ours(&chosen, "KaiwuDB").is_some());
            let kept = &chosen.kept[0];
            assert_eq!((kept.id.as_str(), chosen.kept.len()), ("ClusterIP", 1));
            assert_eq!(kept.agent, format!("ocf:heartbeat:{agent}"));
            assert!(kept.why.contains(&format!("{name}={value}")), "{kept:?}");
        }
        let fsck = "value=\"ext4\"/><nvpair id=\"f4\" name=\"run_fsck\" value=\"force\"/>";
        let chosen = chosen(&guide_with("value=\"ext4\"/>", fsck));
        assert!(chosen.kept[0].why.contains("run_fsck=force"), "{chosen:?}");
    }

    #[test]
    fn what_is_written_elsewhere_or_cloned_stays_and_is_told() {
        let address = GUIDE.split_once("<primitive id=\"ClusterIP\"").unwrap().1;
        let address = format!(
            "<primitive id=\"ClusterIP\"{}</primitive>",
            address.split_once("</primitive>").unwrap().0
        );
        let template = "<template id=\"T\" class=\"ocf\" provider=\"heartbeat\" type=\"IPaddr2\"/><primitive id=\"ClusterIP\" template=\"T\"><instance_attributes id=\"i\">\
                        <nvpair id=\"i1\" name=\"ip\" value=\"192.0.2.100\"/></instance_attributes></primitive>";
        let rule = address.replacen(
            "</instance_attributes>",
            "</instance_attributes><instance_attributes id=\"r\"><rule id=\"r1\" score=\"1\"><expression id=\"r2\" attribute=\"#uname\" operation=\"eq\" value=\"a\"/>\
             </rule><nvpair id=\"r3\" name=\"nic\" value=\"eth1\"/></instance_attributes>",
            1,
        );
        let shared = format!(
            "{address}<primitive id=\"X\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"><instance_attributes id-ref=\"i\"/></primitive>"
        );
        let clone = format!("<clone id=\"C\">{address}</clone>");
        for (what, told) in [
            (template, "template"),
            (&rule, "rule"),
            (&shared, "shared"),
            (&clone, "clone"),
        ] {
            let chosen = chosen(&guide_with(&address, what));
            assert!(ours(&chosen, "ClusterIP").is_none(), "{told}");
            assert!(chosen.kept[0].why.contains(told), "{:?}", chosen.kept);
        }
    }
}
