//! What there is: two nodes, two links, a device that switches nodes off, and acknowledged rows.

/// A node's number; the other one is `1 - it`.
pub type Id = usize;

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// It runs.
    Up,
    /// It is off, or has been switched off; what was in memory is gone.
    Off,
    /// It does nothing at all and may come to life again as it was: a hung kernel, a paused virtual machine.
    Frozen,
}

/// What a node's cluster manager believes of the other node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Belief {
    /// A member.
    Member,
    /// Gone, and nobody knows what it does.
    Unclean,
    /// Off for certain.
    Down,
}

/// The role in DRBD; `Stopped` is not configured in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Not up.
    Stopped,
    /// Up.
    Secondary,
    /// Writable.
    Primary,
}

/// The disk below DRBD, as its meta data say, and while it is up as the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disk {
    /// Broken, and the data on it lost.
    Failed,
    /// A copy is under way to it.
    Inconsistent,
    /// Known to be old.
    Outdated,
    /// Maybe old.
    Consistent,
    /// Good.
    UpToDate,
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // each is a thing of its own that can be so or not
pub struct Node {
    /// The machine.
    pub power: Power,
    /// Whether it may act: it has seen the other one since it began (corosync's `wait_for_all`).
    pub quorum: bool,
    /// What it believes of the other.
    pub peer: Belief,
    /// In standby.
    pub standby: bool,
    /// The database has failed to start here, and may not run here before a cleanup.
    pub banned: bool,
    /// The fence-peer handler's constraint as this node's copy of the CIB has it: the only node that may be promoted.
    pub only: Option<u8>,
    /// DRBD's role.
    pub role: Role,
    /// The disk.
    pub disk: Disk,
    /// Whether it has begun a generation of its own (a bitmap towards the peer).
    pub ahead: bool,
    /// Whether its meta data say that the peer's data are old.
    pub knows_old: bool,
    /// Acknowledged rows on its disk, as bits, without those that both have.
    pub rows: u8,
    /// `StandAlone`.
    pub alone: bool,
    /// I/O waits for the fence-peer handler.
    pub suspended: bool,
    /// File system, database and address are here.
    pub serves: bool,
}

impl Node {
    /// In 21 bits.
    fn key(&self) -> u64 {
        let flags = [
            self.quorum,
            self.standby,
            self.banned,
            self.ahead,
            self.knows_old,
            self.alone,
            self.suspended,
            self.serves,
        ];
        let flags = flags.iter().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        let only = self.only.map_or(0, |only| u64::from(only) + 1);
        [
            (self.power as u64, 2),
            (self.peer as u64, 2),
            (only, 2),
            (self.role as u64, 2),
            (self.disk as u64, 3),
            (u64::from(self.rows), 2),
        ]
        .iter()
        .fold(flags, |bits, (value, width)| bits << width | value)
    }

    /// Whether it can do something.
    pub fn is_up(&self) -> bool {
        self.power == Power::Up
    }

    /// Whether clients' rows are written here at this moment.
    pub fn writes(&self) -> bool {
        self.is_up() && self.serves && self.role == Role::Primary && !self.suspended
    }
}

/// Which copy of the CIB is newer while the nodes are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Newer {
    /// None.
    Neither,
    /// That node's.
    One(u8),
    /// Both have changed.
    Both,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // as above
pub struct State {
    /// The nodes.
    pub nodes: [Node; 2],
    /// Whether the cluster's messages pass.
    pub ring: bool,
    /// Whether DRBD's do.
    pub link: bool,
    /// Whether the device that switches nodes off works.
    pub fence: bool,
    /// Whether the two DRBDs are connected.
    pub connected: bool,
    /// Which CIB is newer.
    pub newer: Newer,
    /// Acknowledged rows, as bits, without those that both have.
    pub acknowledged: u8,
    /// Whether a person has decided to go on with one side's data.
    pub chosen: bool,
    /// How many more faults and mistakes there may be.
    pub left: u8,
}

impl State {
    /// All is well, node 0 serves, and so many faults and mistakes lie ahead.
    pub fn well(left: u8) -> Self {
        let node = Node {
            power: Power::Up,
            quorum: true,
            peer: Belief::Member,
            standby: false,
            banned: false,
            only: None,
            role: Role::Secondary,
            disk: Disk::UpToDate,
            ahead: false,
            knows_old: false,
            rows: 0,
            alone: false,
            suspended: false,
            serves: false,
        };
        let primary = Node {
            role: Role::Primary,
            serves: true,
            ..node
        };
        Self {
            nodes: [primary, node],
            ring: true,
            link: true,
            fence: true,
            connected: true,
            newer: Newer::Neither,
            acknowledged: 0,
            chosen: false,
            left,
        }
    }

    /// A number that no other state has: 57 bits.
    pub fn key(&self) -> u64 {
        let newer = match self.newer {
            Newer::Neither => 0,
            Newer::One(node) => u64::from(node) + 1,
            Newer::Both => 3,
        };
        let flags = [self.ring, self.link, self.fence, self.connected, self.chosen];
        let flags = flags.iter().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        let rest = ((flags << 2 | newer) << 2 | u64::from(self.acknowledged)) << 4 | u64::from(self.left);
        (rest << 21 | self.nodes[0].key()) << 21 | self.nodes[1].key()
    }

    /// The same with the nodes exchanged: nothing tells them apart.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.nodes.swap(0, 1);
        for node in &mut self.nodes {
            node.only = node.only.map(|only| 1 - only);
        }
        if let Newer::One(node) = &mut self.newer {
            *node = 1 - *node;
        }
        self
    }

    /// The rows that whoever is served by `node` sees: without a good disk of its own it reads the peer's.
    pub fn rows_seen_by(&self, node: Id) -> u8 {
        let (here, there) = (&self.nodes[node], &self.nodes[1 - node]);
        if here.disk != Disk::UpToDate && self.connected {
            there.rows
        } else {
            here.rows
        }
    }

    /// Rows that both have need not be told apart any more, and what was chosen is then history.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let [one, other] = &mut self.nodes;
        if self.chosen {
            // Nobody can bring back what neither has.
            self.acknowledged &= one.rows | other.rows;
        }
        let both = one.rows & other.rows;
        if both != 0 && self.connected {
            let keep = !both;
            one.rows &= keep;
            other.rows &= keep;
            self.acknowledged &= keep;
        }
        if one.only == other.only {
            self.newer = Newer::Neither;
        }
        // One row is like another.
        if self.acknowledged | one.rows | other.rows == 0b10 {
            for rows in [&mut self.acknowledged, &mut one.rows, &mut other.rows] {
                *rows >>= 1;
            }
        }
        if self.acknowledged == 0 && self.connected && one.rows == other.rows && one.disk == other.disk {
            self.chosen = false;
        }
        self
    }
}
