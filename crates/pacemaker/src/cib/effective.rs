//! The configuration as Pacemaker takes it: what stands elsewhere and is only referred to is put in its place. After this nobody has to
//! know templates, references and resource sets, and nobody can pass them over.

use crate::xml::Element;
use ocf::parse_boolean;

/// Marks a constraint that is one of several made from a resource set.
pub(super) const FROM_SET: &str = "from-set";

/// The same CIB with references (`id-ref`) and templates resolved, and resource sets as the constraints that they stand for.
pub(super) fn effective(cib: &Element) -> Element {
    let mut document = cib.clone();
    resolve_references(&mut document, cib);
    if let Some(configuration) = document
        .children
        .iter_mut()
        .find(|child| child.name == "configuration")
    {
        let templates: Vec<Element> = configuration
            .child("resources")
            .into_iter()
            .flat_map(|resources| resources.all("template").cloned())
            .collect();
        apply_templates(configuration.child_or_new("resources"), &templates);
        let constraints = configuration.child_or_new("constraints");
        constraints.children = constraints.children.iter().flat_map(without_sets).collect();
    }
    document
}

/// Puts what `id-ref` names where it is named.
fn resolve_references(element: &mut Element, document: &Element) {
    for child in &mut element.children {
        // An nvpair may be given another name where it is used; a tag's references stay references.
        if let Some(found) = child.get("id-ref").and_then(|id| document.by_id(id))
            && found.name == child.name
        {
            let name = child.get("name").map(str::to_owned);
            *child = found.clone();
            if let Some(name) = name {
                child.set("name", &name);
            }
        }
        resolve_references(child, document);
    }
}

/// Gives each primitive what its template says and it does not say itself.
fn apply_templates(element: &mut Element, templates: &[Element]) {
    for child in &mut element.children {
        if child.name == "primitive"
            && let Some(template) = child
                .get("template")
                .and_then(|id| templates.iter().find(|template| template.id() == id))
        {
            inherit(child, template);
        }
        apply_templates(child, templates);
    }
}

fn inherit(primitive: &mut Element, template: &Element) {
    for name in ["class", "provider", "type"] {
        if let Some(value) = template.get(name) {
            primitive.set(name, value);
        }
    }
    for child in &template.children {
        if child.name == "operations" {
            inherit_operations(primitive, child);
        } else {
            // Values of the primitive come first and count.
            primitive.children.push(child.clone());
        }
    }
}

/// An operation of the primitive replaces the template's of the same name and role.
fn inherit_operations(primitive: &mut Element, operations: &Element) {
    let key = |operation: &Element| {
        (
            operation.get("name").map(str::to_owned),
            operation.get("role").map(str::to_owned),
        )
    };
    let own = primitive.child_or_new("operations");
    for operation in &operations.children {
        if !own.children.iter().any(|one| key(one) == key(operation)) {
            own.children.push(operation.clone());
        }
    }
}

/// A member of a resource set.
struct Member<'a> {
    set: &'a Element,
    /// Which set of the constraint.
    number: usize,
    id: &'a str,
}

/// A constraint without resource sets, or those that its sets stand for: one for each pair.
fn without_sets(constraint: &Element) -> Vec<Element> {
    if constraint.child("resource_set").is_none() {
        return vec![constraint.clone()];
    }
    let members: Vec<Member<'_>> = constraint
        .all("resource_set")
        .enumerate()
        .flat_map(|(number, set)| {
            set.all("resource_ref").map(move |reference| Member {
                set,
                number,
                id: reference.id(),
            })
        })
        .collect();
    let mut found = Vec::new();
    for (at, earlier) in members.iter().enumerate() {
        for later in &members[at + 1..] {
            let same = earlier.number == later.number;
            if same && is_no(earlier.set.get("sequential")) {
                continue;
            }
            found.extend(match constraint.name.as_str() {
                "rsc_order" => order(constraint, earlier, later),
                // In a set the later one goes where the earlier one is; of two sets the first goes where the second is.
                "rsc_colocation" if same => Some(colocation(constraint, later, earlier)),
                "rsc_colocation" => Some(colocation(constraint, earlier, later)),
                _ => None,
            });
        }
    }
    if !matches!(constraint.name.as_str(), "rsc_order" | "rsc_colocation") {
        // Locations and tickets say the same of each resource.
        found.extend(
            members
                .iter()
                .map(|member| plain(constraint).with("rsc", member.id)),
        );
    }
    found
}

/// The constraint's own attributes.
fn plain(constraint: &Element) -> Element {
    let mut element = Element::new(&constraint.name);
    for (name, value) in constraint.attributes() {
        element.set(name, value);
    }
    element.with(FROM_SET, "true")
}

fn order(constraint: &Element, first: &Member<'_>, then: &Member<'_>) -> Option<Element> {
    let several = first.set.all("resource_ref").count() > 1;
    // Any one of the set is enough: no single one of them is waited for.
    if first.number != then.number && several && is_no(first.set.get("require-all")) {
        return None;
    }
    Some(
        plain(constraint)
            .with("first", first.id)
            .with("first-action", first.set.get("action").unwrap_or("start"))
            .with("then", then.id)
            .with("then-action", then.set.get("action").unwrap_or("start")),
    )
}

fn colocation(constraint: &Element, what: &Member<'_>, with: &Member<'_>) -> Element {
    let mut element = plain(constraint).with("rsc", what.id).with("with-rsc", with.id);
    for (name, set) in [("rsc-role", what.set), ("with-rsc-role", with.set)] {
        if let Some(role) = set.get("role") {
            element.set(name, role);
        }
    }
    if let Some(score) = what.set.get("score") {
        element.set("score", score);
    }
    element
}

fn is_no(value: Option<&str>) -> bool {
    value.and_then(parse_boolean) == Some(false)
}
