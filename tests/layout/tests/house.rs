//! The house as it stands: every arrow points down, between packages and between their rooms, and there is no circle of files.

mod floors;
mod places;

use floors::{FLOORS, PACKAGES};
use layout::packages::{Module, Package};
use layout::{arrows, packages, shape};
use places::{BY_PATH, ROOT_ONLY};
use std::collections::BTreeMap;

#[test]
fn packages_name_only_what_is_below_them() {
    let packages = packages::all();
    let name = |package: &Package| package.name.clone();
    let names: Vec<String> = packages.iter().map(name).collect();
    let of = |package: &Package| {
        let ours = package.depends_on.iter().filter(|other| names.contains(other));
        (
            vec![name(package)],
            ours.map(|other| vec![other.clone()]).collect(),
        )
    };
    assert_eq!(
        shape::climbs(&packages.iter().map(of).collect(), PACKAGES),
        [""; 0]
    );
}

#[test]
fn rooms_name_only_what_is_below_them() {
    let floors: BTreeMap<&str, _> = FLOORS.iter().map(|one| (one.package, one.rooms)).collect();
    let mut wrong = Vec::new();
    for package in packages::all() {
        let Some(floors) = floors.get(package.directory.as_str()) else {
            wrong.push(format!("{} has no floors", package.directory));
            continue;
        };
        let climbs = shape::climbs(&arrows::of(&package), floors);
        wrong.extend(climbs.iter().map(|one| format!("{}: {one}", package.directory)));
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(
        floors.len(),
        packages::all().len(),
        "a package with floors is gone"
    );
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    for package in packages::all() {
        let circles = shape::circles(&arrows::of(&package));
        assert!(circles.is_empty(), "{}: {circles:?}", package.directory);
    }
}

/// Also a verb's own files stay its own: `verbs` knows `Arguments` and `run` of each, and no verb knows another one.
#[test]
fn verbs_are_sealed() {
    let command = package("crates/kaiwudb-ha");
    let is_verb = |module: &Module| module.len() == 2 && module[0] == "verbs";
    let mut verbs = 0;
    for (module, said) in command.modules.iter().filter(|(module, _)| is_verb(module)) {
        verbs += 1;
        let others = said
            .shows
            .iter()
            .filter(|name| !["Arguments", "run"].contains(&name.as_str()));
        assert_eq!(
            others.collect::<Vec<_>>(),
            [""; 0],
            "{} shows too much",
            module.join("::")
        );
    }
    assert!(verbs > 5, "there are verbs");
    for (from, targets) in arrows::of(&command) {
        if from.len() > 1 && from[0] == "verbs" {
            let others = targets
                .iter()
                .filter(|to| to.first().is_some_and(|room| room == "verbs"));
            let others: Vec<_> = others.filter(|to| to.get(1) != from.get(1)).collect();
            assert!(others.is_empty(), "{} names {others:?}", from.join("::"));
        }
    }
}

/// Words stay words: no program of ours starts a shell, here or, through a typed order, on the other node.
#[test]
fn nothing_is_said_to_a_shell() {
    let shells = ["sh", "bash", "dash"].map(|shell| format!("\"{shell}\""));
    for package in packages::all() {
        let source = packages::repository().join(&package.directory).join("src");
        for module in package.modules.keys() {
            let file = if module.is_empty() {
                "lib".to_owned()
            } else {
                module.join("/")
            };
            let text = std::fs::read_to_string(source.join(file + ".rs")).expect("a module has a file");
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
            let said = shells.iter().find(|shell| shipped.contains(shell.as_str()));
            assert_eq!(said, None, "{}: {}", package.directory, module.join("::"));
        }
    }
}

/// A value type does not live with a behaviour. An agent's table of parameters knows no module but `values`; and of a module that carries
/// out an action (one that the agent's root calls) others take functions and constants, never a type.
#[test]
fn values_do_not_live_with_behaviour() {
    for agent in packages::all() {
        if !agent.directory.starts_with("agents/") {
            continue;
        }
        let arrows = arrows::of(&agent);
        let parameters = &arrows[&vec!["parameters".to_owned()]];
        assert!(
            parameters.iter().all(|to| to.as_slice() == ["values"]),
            "{}: parameters names {parameters:?}",
            agent.directory
        );
        let is_action = |module: &Module| {
            let actions = [
                "start", "stop", "monitor", "promote", "demote", "notify", "validate", "reload",
            ];
            module
                .first()
                .is_some_and(|room| actions.contains(&room.as_str()))
        };
        for (from, to, name) in arrows::taken_by(&agent) {
            let is_type = name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
            let elsewhere = from.first() != to.first() && !from.is_empty();
            assert!(
                !(is_action(&to) && is_type && elsewhere),
                "{}: {} takes the type {name} from {}",
                agent.directory,
                from.join("::"),
                to.join("::")
            );
        }
    }
}

fn package(directory: &str) -> Package {
    let mut all = packages::all().into_iter();
    all.find(|package| package.directory == directory)
        .expect("it is there")
}

/// Files are touched by path only where root alone can put anything; each such place is listed with its reason.
#[test]
fn paths_are_trusted_in_root_only_places() {
    let mut wrong = Vec::new();
    let mut listed: Vec<&str> = ROOT_ONLY.iter().map(|(place, _)| *place).collect();
    for package in packages::all() {
        for (module, said) in &package.modules {
            let module = module.join("::");
            if package.directory == "crates/testing"
                || package.directory == "crates/host" && module.starts_with("untrusted")
            {
                continue;
            }
            let by_path = said.paths.iter().find(|path| {
                let [.., of, call] = path.as_slice() else {
                    return false;
                };
                BY_PATH.contains(&(of, call))
            });
            let Some(path) = by_path else { continue };
            let place = format!("{} {module}", package.directory);
            match listed.iter().position(|known| *known == place) {
                Some(known) => _ = listed.swap_remove(known),
                None => wrong.push(format!("{place}: {}", path.join("::"))),
            }
        }
    }
    assert_eq!(
        wrong, [""; 0],
        "use host::untrusted, or say why nobody but root can put anything there"
    );
    assert_eq!(
        listed, [""; 0],
        "listed, and no file is touched by its path there"
    );
}
