//! Which module names which.

use crate::packages::{Module, Package};
use std::collections::{BTreeMap, BTreeSet};

/// From the module that names to the module in whose file the item is written.
pub type Arrows = BTreeMap<Module, BTreeSet<Module>>;

/// How far a name may be handed on.
const HANDS: usize = 16;

/// The arrows of a package.
pub fn of(package: &Package) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, said) in &package.modules {
        let used = said.uses.iter().map(|(_, path)| path).chain(&said.paths);
        let named = used.filter_map(|path| resolve(package, module, path, HANDS));
        let others = named.filter(|target| target != module).collect();
        arrows.insert(module.clone(), others);
    }
    arrows
}

/// What others take from the modules: who, from which, and under which name.
pub fn taken_by(package: &Package) -> Vec<(Module, Module, String)> {
    let mut found = Vec::new();
    for (module, said) in &package.modules {
        let used = said.uses.iter().map(|(_, path)| path).chain(&said.paths);
        for path in used {
            if let (Some(target), Some(name)) = (resolve(package, module, path, HANDS), path.last())
                && target != *module
            {
                found.push((module.clone(), target, name.clone()));
            }
        }
    }
    found
}

/// The module in whose file the item of this path is written; `None` where that is another package's.
fn resolve(package: &Package, from: &Module, path: &[String], hands: usize) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    let (mut at, mut rest) = match first.as_str() {
        "crate" => (Module::new(), rest),
        "self" => (from.clone(), rest),
        "super" => {
            let ups = path.iter().take_while(|name| *name == "super").count();
            (from[..from.len().checked_sub(ups)?].to_vec(), &path[ups..])
        }
        // A module in this one, or a name that was taken over; what else there is, is another package's or the language's.
        name => {
            let said = package.modules.get(from)?;
            let known = said.modules.iter().any(|one| one == name);
            if !known {
                return taken(package, from, path, hands);
            }
            (from.clone(), path)
        }
    };
    while let Some((name, after)) = rest.split_first() {
        let inner = [at.as_slice(), std::slice::from_ref(name)].concat();
        if !package.modules.contains_key(&inner) {
            let elsewhere = taken(package, &at, rest, hands);
            return Some(elsewhere.unwrap_or(at));
        }
        (at, rest) = (inner, after);
    }
    Some(at)
}

/// Where a name that the module has taken over comes from.
fn taken(package: &Package, module: &Module, path: &[String], hands: usize) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    let uses = &package.modules.get(module)?.uses;
    let (_, of) = uses.iter().find(|(name, of)| name == first && of.len() > 1)?;
    // `use tree::tree` names itself.
    let whole = [of.as_slice(), rest].concat();
    resolve(package, module, &whole, hands.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths;

    /// A package of these modules (`a::b`; the root is empty) and their texts.
    fn package(files: &[(&str, &str)]) -> Package {
        let module = |name: &str| {
            name.split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Package {
            name: "planted".to_owned(),
            directory: "crates/planted".to_owned(),
            depends_on: Vec::new(),
            modules: files
                .iter()
                .map(|(name, text)| (module(name), paths::read(text)))
                .collect(),
        }
    }

    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let arrows = of(&package(files));
        let shown = arrows.iter().flat_map(|(from, to)| {
            to.iter()
                .map(|to| format!("{} -> {}", from.join("::"), to.join("::")))
        });
        shown.collect()
    }

    #[test]
    fn a_path_is_followed_to_where_its_item_is_written() {
        let found = arrows(&[
            ("", "mod a; mod b; mod c;"),
            ("a", "use crate::b::Thing; fn f() { crate::c::g(); }"),
            // Handing on is an arrow of b's own, not of those who take it from there.
            ("b", "mod inner; pub use inner::Thing;"),
            (
                "b::inner",
                "use super::super::c; fn f() { c::g() } pub struct Thing;",
            ),
            ("c", "use std::fmt; pub fn g() {}"),
        ]);
        assert_eq!(
            found,
            ["a -> b::inner", "a -> c", "b -> b::inner", "b::inner -> c"]
        );
    }

    #[test]
    fn a_childs_way_to_its_parent_is_an_arrow() {
        let found = arrows(&[
            ("", "mod a;"),
            ("a", "mod b; pub struct Own; fn f() { b::g(); }"),
            ("a::b", "use super::Own; pub fn g(_: Own) {}"),
        ]);
        assert_eq!(found, ["a -> a::b", "a::b -> a"]);
    }
}
