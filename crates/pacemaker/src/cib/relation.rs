//! How resources are tied to each other: by groups, by constraints, and by chains of them.

use super::{Cib, Colocation, Order, Primitive, Resource};
use crate::xml::Element;
use ocf::{Role, parse_boolean};
use std::collections::BTreeSet;

impl Cib {
    /// The ids by which constraints may mean this primitive: its own, those of what it is in (group, clone, bundle), its template's, and
    /// those of tags.
    pub fn names<'a>(&'a self, primitive: &'a Primitive) -> Vec<&'a str> {
        let mut names = vec![primitive.id.as_str()];
        names.extend(self.group_of(primitive));
        let is_it = |one: &&Primitive| one.id == primitive.id;
        let around = (self.resources().iter()).filter(|resource| resource.primitives().iter().any(is_it));
        names.extend(around.map(Resource::id));
        names.extend(primitive.template());
        let tags = self.configuration.path(&["tags", "tag"]).into_iter();
        let tags = tags.filter(|tag| tag.all("obj_ref").any(|one| names.contains(&one.id())));
        let tags: Vec<&str> = tags.map(Element::id).collect();
        names.extend(tags);
        names
    }

    /// The group that it is in.
    pub fn group_of<'a>(&'a self, primitive: &Primitive) -> Option<&'a str> {
        self.groups()
            .find(|group| group.members().iter().any(|one| one.id == primitive.id))
            .map(|group| group.id.as_str())
    }

    /// Whether both are in one group.
    pub fn share_group(&self, one: &Primitive, other: &Primitive) -> bool {
        self.group_of(one)
            .is_some_and(|group| self.group_of(other) == Some(group))
    }

    /// Whether both are in one group and the first is the earlier one.
    fn is_earlier_in_group(&self, first: &Primitive, then: &Primitive) -> bool {
        self.groups().any(|group| {
            let at = |primitive: &Primitive| group.members().iter().position(|one| one.id == primitive.id);
            matches!((at(first), at(then)), (Some(first), Some(then)) if first < then)
        })
    }

    /// Whether `then` starts only after `first` was started, or promoted.
    pub fn is_ordered(&self, first: &Primitive, then: &Primitive, promote: bool) -> bool {
        self.reaches(first, then, |from, to, is_first_step| {
            // Only the first step is about the promotion; what follows has started.
            let promote = promote && is_first_step;
            (!promote && self.is_earlier_in_group(from, to))
                || self
                    .orders()
                    .any(|order| self.orders_them(order, from, to, promote))
        })
    }

    fn orders_them(&self, order: &Order, first: &Primitive, then: &Primitive, promote: bool) -> bool {
        let action = order.first_action.as_deref().unwrap_or("start");
        order.is_mandatory()
            && matches!(order.then_action.as_deref(), None | Some("start" | "promote"))
            && action == if promote { "promote" } else { "start" }
            // After the promotion of something it must also be stopped before the demotion.
            && !(promote && order.is_one_way())
            && self.names(first).contains(&order.first.as_str())
            && self.names(then).contains(&order.then.as_str())
    }

    /// Whether `what` runs only where `with` does.
    pub fn is_together(&self, what: &Primitive, with: &Primitive) -> bool {
        self.reaches(what, with, |from, to, _| {
            self.share_group(from, to)
                || self.colocations().any(|colocation| {
                    colocation.is_mandatory()
                        && self.names(from).contains(&colocation.resource.as_str())
                        && self.names(to).contains(&colocation.with.as_str())
                })
        })
    }

    /// Whether `what` runs only where `with` is promoted.
    pub fn is_with_promoted(&self, what: &Primitive, with: &Primitive) -> bool {
        self.primitives()
            .filter(|one| one.id == what.id || self.is_together(what, one))
            .any(|one| {
                self.colocations().any(|colocation| {
                    colocation.is_mandatory()
                        && colocation.with_role.as_deref().and_then(Role::parse) == Some(Role::Promoted)
                        && self.names(one).contains(&colocation.resource.as_str())
                        && self.names(with).contains(&colocation.with.as_str())
                })
            })
    }

    /// Whether a chain of steps leads from one to the other.
    fn reaches<'a>(
        &'a self,
        from: &'a Primitive,
        to: &Primitive,
        step: impl Fn(&Primitive, &Primitive, bool) -> bool,
    ) -> bool {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![(from, true)];
        while let Some((at, first)) = open.pop() {
            if step(at, to, first) {
                return true;
            }
            for next in self.primitives() {
                if next.id != from.id && !seen.contains(next.id.as_str()) && step(at, next, first) {
                    seen.insert(&next.id);
                    open.push((next, false));
                }
            }
        }
        false
    }

    /// Whether a colocation asks for both on one node, in either direction and however strongly.
    pub fn are_colocated(&self, one: &Primitive, other: &Primitive) -> bool {
        let (ones, others) = (self.names(one), self.names(other));
        self.colocations()
            .filter(|colocation| colocation.is_together())
            .any(|colocation| {
                let (what, with) = (colocation.resource.as_str(), colocation.with.as_str());
                (ones.contains(&what) && others.contains(&with))
                    || (others.contains(&what) && ones.contains(&with))
            })
    }

    /// Whether an order, of any kind, names both in either direction.
    pub fn are_ordered(&self, one: &Primitive, other: &Primitive) -> bool {
        let (ones, others) = (self.names(one), self.names(other));
        self.orders().any(|order| {
            let (first, then) = (order.first.as_str(), order.then.as_str());
            (ones.contains(&first) && others.contains(&then))
                || (others.contains(&first) && ones.contains(&then))
        })
    }
}

impl Colocation {
    /// Whether it is a must.
    pub fn is_mandatory(&self) -> bool {
        self.same_node && matches!(self.score.as_deref(), None | Some("INFINITY" | "+INFINITY"))
    }

    /// Whether it is about being together and not apart.
    fn is_together(&self) -> bool {
        self.same_node && self.score.as_deref().is_none_or(|score| super::score(score) > 0)
    }
}

impl Order {
    /// Whether the second waits for the first whatever happens.
    pub fn is_mandatory(&self) -> bool {
        !matches!(self.kind.as_deref(), Some("Optional" | "Serialize"))
    }

    /// Whether nothing is said about stopping.
    fn is_one_way(&self) -> bool {
        self.symmetrical.as_deref().and_then(parse_boolean) == Some(false)
    }
}
