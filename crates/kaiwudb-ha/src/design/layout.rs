//! Where the database's resources stand: in one group, as the guide has them, or where somebody has put them. What is there stays
//! there, and what binds it together is only asked for where nothing does yet.

use pacemaker::cib::{Cib, Resource as Live};
use pacemaker::model::{Constraint, Primitive, Resource};

/// Puts resources and constraints together.
pub(super) struct Layout<'a> {
    cib: &'a Cib,
    /// The group that new resources go into; `None` where the database, or its file system, stands alone.
    home: Option<String>,
    members: Vec<Primitive>,
    pub(super) resources: Vec<Resource>,
    pub(super) constraints: Vec<Constraint>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(cib: &'a Cib, home: Option<String>) -> Self {
        Self {
            cib,
            home,
            members: Vec::new(),
            resources: Vec::new(),
            constraints: Vec::new(),
        }
    }

    /// The name by which constraints mean it: the outermost of what it is in.
    pub(super) fn anchor(&self, id: &str) -> String {
        let is_it = |resource: &&Live| resource.primitives().iter().any(|one| one.id == id);
        match self.cib.resources().iter().find(is_it) {
            Some(live) => live.id().to_owned(),
            None => self.home.clone().unwrap_or_else(|| id.to_owned()),
        }
    }

    /// Whether it is in that group, or will be.
    fn is_at_home(&self, id: &str) -> bool {
        let Some(home) = &self.home else { return false };
        match self.cib.primitives().find(|one| one.id == id) {
            Some(live) => self.cib.group_of(live) == Some(home),
            None => true,
        }
    }

    /// The next one of those that start one after the other on the same node.
    pub(super) fn then(&mut self, after: Option<&str>, one: Primitive) {
        if let Some(after) = after {
            let (first, then) = (self.anchor(after), self.anchor(&one.id));
            self.tie(first, then, true);
        }
        self.put(one);
    }

    /// The second on the node of the first, after it; `symmetrical` is that of the order.
    fn tie(&mut self, first: String, then: String, symmetrical: bool) {
        if first == then {
            return;
        }
        self.constraints.extend([
            Constraint::Colocation {
                resource: then.clone(),
                with: first.clone(),
                promoted: false,
            },
            Constraint::Order {
                first,
                promote: false,
                then,
                symmetrical,
            },
        ]);
    }

    /// The address: on the database's node, after it.
    pub(super) fn address(&mut self, database: &str, one: Primitive) {
        let is_live = self.cib.primitives().any(|live| live.id == one.id);
        if is_live && self.is_at_home(&one.id) {
            self.members.push(one);
            return;
        }
        let first = self.anchor(database);
        let then = if is_live {
            self.anchor(&one.id)
        } else {
            one.id.clone()
        };
        // Not symmetrical, so that it need not go before its server has said goodbye to the clients.
        self.tie(first, then, false);
        self.resources.push(Resource::Primitive(one));
    }

    /// Something below it that is promoted on one node; `clone` is its clone.
    pub(super) fn on_promoted(&mut self, clone: &str, upper: &str) {
        let resource = self.anchor(upper);
        self.constraints.extend([
            Constraint::Colocation {
                resource: resource.clone(),
                with: clone.to_owned(),
                promoted: true,
            },
            Constraint::Order {
                first: clone.to_owned(),
                promote: true,
                then: resource,
                symmetrical: true,
            },
        ]);
    }

    fn put(&mut self, one: Primitive) {
        if self.is_at_home(&one.id) {
            self.members.push(one);
        } else {
            self.resources.push(Resource::Primitive(one));
        }
    }

    /// The group at the end.
    pub(super) fn close(&mut self) {
        if let Some(id) = self.home.clone().filter(|_| !self.members.is_empty()) {
            let members = std::mem::take(&mut self.members);
            self.resources.push(Resource::Group { id, members });
        }
    }
}
