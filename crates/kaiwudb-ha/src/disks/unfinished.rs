//! A resource that somebody has begun to make: the cluster cannot bring it into service, so a plain `apply` does not begin.

use super::ask::ask;
use super::order::{Act, Order};
use super::side::Side;
use crate::context::Context;
use crate::design::plan::Plan;
use crate::texts::disks as texts;
use anyhow::{Result, bail};
use site::language::Text;

/// Looks at the resource on every node that answers and knows it.
pub(crate) fn refuse_unfinished(context: &Context, plan: &Plan) -> Result<()> {
    let storage = &plan.wanted.storage;
    let Some(resource) = storage.drbd.as_ref().filter(|name| !plan.has_resource(name)) else {
        return Ok(());
    };
    let order = Order {
        resource: resource.clone(),
        disk: String::new(),
        device: storage.device.clone(),
        data_root: storage.directory.clone(),
        act: Act::Look,
    };
    let mut sides = Vec::new();
    for node in &plan.found.nodes {
        if node
            .facts
            .as_ref()
            .is_ok_and(|facts| facts.drbd.resources.contains_key(resource))
        {
            sides.push((node.name.as_str(), ask(context, &node.name, &order)?));
        }
    }
    let lines: Vec<String> = lacking(&sides)
        .into_iter()
        .map(|(node, disk, text)| {
            let values = [
                ("node", node),
                ("disk", disk),
                ("resource", resource),
                ("device", &storage.device),
            ];
            text.fill(context.language, &values)
        })
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let values = [("resource", resource.as_str())];
    bail!(
        "{}\n  {}\n{}",
        texts::UNFINISHED.fill(context.language, &values),
        lines.join("\n  "),
        texts::GO_ON.of(context.language)
    )
}

/// What is missing, and on which node and disk.
fn lacking<'a>(sides: &'a [(&'a str, Side)]) -> Vec<(&'a str, &'a str, Text)> {
    // Of several volumes nothing is known here, and none of them is ours to make.
    let sides: Vec<(&str, &str, &Side)> = sides
        .iter()
        .filter_map(|(node, side)| match side.configured.as_deref()? {
            [disk] => Some((*node, disk.as_str(), side)),
            _ => None,
        })
        .collect();
    let without: Vec<_> = sides
        .iter()
        .filter(|(_, _, side)| side.generations.is_none() && !side.has_meta_data)
        .map(|(node, disk, _)| (*node, *disk, texts::WITHOUT_META_DATA))
        .collect();
    let Some((node, disk, _)) = sides.first().filter(|_| without.is_empty()) else {
        return without;
    };
    let lacks = |text: Text| vec![(*node, *disk, text)];
    if sides.iter().all(|(_, _, side)| side.is_fresh()) {
        lacks(texts::WITHOUT_DATA)
    } else if sides
        .iter()
        .all(|(_, _, side)| side.size.is_some() && side.is_empty())
    {
        lacks(texts::WITHOUT_FILE_SYSTEM)
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drbd::generation::Generations;

    fn side(generations: Option<&str>, signature: &str) -> Side {
        Side {
            size: Some(1 << 30),
            configured: Some(vec!["/dev/vdb".to_owned()]),
            has_meta_data: generations.is_some(),
            generations: generations.map(|text| Generations::parse(text).unwrap()),
            blank: signature.is_empty(),
            signatures: signature.split_whitespace().map(str::to_owned).collect(),
            ..Side::default()
        }
    }

    fn told(first: Side, second: Side) -> Vec<(String, &'static str)> {
        let sides = [("one", first), ("two", second)];
        lacking(&sides)
            .into_iter()
            .map(|(node, _, text)| (node.to_owned(), text.english))
            .collect()
    }

    #[test]
    fn every_half_of_a_resource_is_told() {
        let fresh = || side(Some("4:0:0:0:0:0"), "");
        let data = |signature| side(Some("AB34:0:0:0:1:1"), signature);
        let of = |node: &str, text: Text| vec![(node.to_owned(), text.english)];
        assert_eq!(told(fresh(), side(None, "")), of("two", texts::WITHOUT_META_DATA));
        assert_eq!(told(fresh(), fresh()), of("one", texts::WITHOUT_DATA));
        assert_eq!(told(data(""), data("")), of("one", texts::WITHOUT_FILE_SYSTEM));
        assert_eq!(told(data("ext4"), data("ext4")), []);
        // The first synchronisation is on its way, or will be.
        assert_eq!(told(data("ext4"), fresh()), []);
        // Detached, or of several volumes: more is not known.
        let detached = Side {
            generations: None,
            ..data("ext4")
        };
        assert_eq!(told(detached, data("ext4")), []);
        let several = || Side {
            configured: Some(vec!["/dev/vdb".to_owned(), "/dev/vdc".to_owned()]),
            ..side(None, "")
        };
        assert_eq!(told(several(), several()), []);
    }
}
