//! What is wrong with the arrows: circles, and those that climb.

use crate::arrows::Arrows;
use crate::packages::Module;
use std::collections::BTreeSet;

/// Modules that name each other in a loop, each loop once.
pub fn circles(arrows: &Arrows) -> Vec<Vec<Module>> {
    let mut found: Vec<Vec<Module>> = Vec::new();
    for module in arrows.keys() {
        let below = reached(arrows, module);
        if below.contains(module) && !found.iter().any(|circle| circle.contains(module)) {
            let members = below
                .into_iter()
                .filter(|other| reached(arrows, other).contains(module));
            found.push(members.collect());
        }
    }
    found
}

/// Everything that the module names, and what that names.
fn reached(arrows: &Arrows, from: &Module) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&Module> = vec![from];
    while let Some(module) = next.pop() {
        for to in arrows.get(module).into_iter().flatten() {
            if found.insert(to.clone()) {
                next.push(to);
            }
        }
    }
    found
}

/// Arrows that do not point down. `floors` are the rooms (the modules of the root, `lib` for itself), the highest floor first; rooms of one
/// floor do not know each other. A room that stands nowhere is told, too, and one that is not there.
pub fn climbs(arrows: &Arrows, floors: &[&[&str]]) -> Vec<String> {
    let room = |module: &Module| module.first().map_or("lib", String::as_str).to_owned();
    let floor = |room: &str| floors.iter().position(|rooms| rooms.contains(&room));
    let rooms: BTreeSet<String> = arrows.keys().map(room).collect();
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(
        rooms
            .iter()
            .filter(|room| floor(room).is_none())
            .map(|room| format!("{room} has no floor")),
    );
    let named = floors.iter().flat_map(|rooms| rooms.iter());
    wrong.extend(
        named
            .filter(|room| !rooms.contains(**room))
            .map(|room| format!("{room} is not there")),
    );
    for (from, to) in arrows
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from, to)))
    {
        let (above, below) = (room(from), room(to));
        if above != below && floor(&above) >= floor(&below) {
            wrong.push(format!("{} -> {}", from.join("::"), to.join("::")));
        }
    }
    wrong
}

/// The floors that the arrows have of themselves, the highest first, where there is no circle of rooms.
pub fn floors(arrows: &Arrows) -> Vec<Vec<String>> {
    let room = |module: &Module| module.first().map_or("lib", String::as_str).to_owned();
    let mut left: BTreeSet<String> = arrows.keys().map(room).collect();
    let ties: BTreeSet<(String, String)> = arrows
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (room(from), room(to))))
        .filter(|(from, to)| from != to)
        .collect();
    let mut floors = Vec::new();
    while !left.is_empty() {
        let names_nobody = |room: &&String| !ties.iter().any(|(from, to)| from == *room && left.contains(to));
        let ground: Vec<String> = left.iter().filter(names_nobody).cloned().collect();
        if ground.is_empty() {
            floors.push(left.iter().map(|room| format!("{room} (circle)")).collect());
            break;
        }
        left.retain(|room| !ground.contains(room));
        floors.push(ground);
    }
    floors.reverse();
    floors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(pairs: &[(&str, &[&str])]) -> Arrows {
        let module = |name: &str| -> Module { name.split("::").map(str::to_owned).collect() };
        pairs
            .iter()
            .map(|(from, to)| (module(from), to.iter().map(|to| module(to)).collect()))
            .collect()
    }

    #[test]
    fn one_arrow_more_that_climbs_is_found() {
        let floors: &[&[&str]] = &[&["top"], &["left", "right"], &["ground"]];
        let right: [(&str, &[&str]); 5] = [
            ("top", &["left", "ground"]),
            ("left", &["left::in"]),
            ("left::in", &["ground"]),
            ("right", &[]),
            ("ground", &[]),
        ];
        assert_eq!(climbs(&arrows(&right), floors), [""; 0]);
        for (from, to) in [("ground", "top"), ("left::in", "right"), ("ground", "left::in")] {
            let planted: Vec<(&str, Vec<&str>)> = right
                .iter()
                .map(|(one, to)| (*one, to.to_vec()))
                .map(|(one, mut all)| {
                    if one == from {
                        all.push(to);
                    }
                    (one, all)
                })
                .collect();
            let planted: Vec<(&str, &[&str])> =
                planted.iter().map(|(from, to)| (*from, to.as_slice())).collect();
            assert_eq!(climbs(&arrows(&planted), floors), [format!("{from} -> {to}")]);
        }
        assert_eq!(
            climbs(&arrows(&right), &floors[..2]).len(),
            3,
            "ground has no floor then"
        );
    }

    #[test]
    fn a_circle_is_found_once() {
        let found = circles(&arrows(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a", "d"]),
            ("d", &["e"]),
            ("e", &[]),
        ]));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0]
                .iter()
                .map(|module| module.join("::"))
                .collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
    }
}
