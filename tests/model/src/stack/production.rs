//! The functions that are shipped, asked with what a node of the model sees. Their answers are remembered: they are pure.

use super::state::{Belief, Disk, Id, Role, State};
use crate::explore::Quick;
use drbd::generation::{self, Generations, Relation};
use drbd::policy::{self, IfPeerPrimary, Score, Scores};
use drbd::resource::{Connection, Device, PeerDevice, Resource};
use drbd::state::{self as words, ConnectionState, Replication};
use drbd_promotable_agent::{Request, Verdict};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash};

/// Names of the nodes.
pub const NAMES: [&str; 2] = ["A", "B"];

/// What a node sees of DRBD.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct View {
    role: Role,
    disk: Disk,
    connected: bool,
    alone: bool,
    peer_role: Role,
    /// `None`: not known.
    peer_disk: Option<Disk>,
}

/// What the handler finds in the CIB.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Cluster {
    node: Id,
    quorum: bool,
    peer: Belief,
    peer_role: Role,
    answers: bool,
    only: Option<u8>,
}

/// An answer of the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The peer cannot be promoted any more; the constraint is there.
    Excluded,
    /// It is left to the script of drbd-utils.
    NotPlain,
}

struct Memory<K, V>(RefCell<HashMap<K, V, BuildHasherDefault<Quick>>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Eq + Hash, V: Copy> Memory<K, V> {
    fn ask(&self, key: K, answer: impl FnOnce() -> V) -> V {
        if let Some(known) = self.0.borrow().get(&key) {
            return *known;
        }
        let answer = answer();
        self.0.borrow_mut().insert(key, answer);
        answer
    }
}

/// The shipped functions.
pub struct Production {
    scores: Scores,
    score: Memory<View, u64>,
    refusal: Memory<View, bool>,
    lift: Memory<View, bool>,
    gives_up: Memory<View, bool>,
    handler: Memory<(View, Cluster), Answer>,
}

fn word(disk: Disk) -> words::Disk {
    match disk {
        Disk::Failed => words::Disk::Diskless,
        Disk::Inconsistent => words::Disk::Inconsistent,
        Disk::Outdated => words::Disk::Outdated,
        Disk::Consistent => words::Disk::Consistent,
        Disk::UpToDate => words::Disk::UpToDate,
    }
}

fn role_word(role: Role) -> words::Role {
    match role {
        Role::Stopped => words::Role::Unknown,
        Role::Secondary => words::Role::Secondary,
        Role::Primary => words::Role::Primary,
    }
}

impl View {
    fn of(state: &State, node: Id) -> Self {
        let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
        let (peer_role, peer_disk) = if state.connected {
            (there.role, Some(there.disk))
        } else {
            (Role::Stopped, here.knows_old.then_some(Disk::Outdated))
        };
        Self {
            role: here.role,
            disk: here.disk,
            connected: state.connected,
            alone: here.alone,
            peer_role,
            peer_disk,
        }
    }

    /// The same in DRBD's terms.
    fn resource(self) -> Resource {
        let mut resource = Resource::named("kwdb");
        resource.role = Some(role_word(self.role));
        resource.devices.insert(
            0,
            Device {
                disk: word(self.disk),
                ..Device::default()
            },
        );
        let copies =
            self.connected && (self.disk == Disk::Inconsistent || self.peer_disk == Some(Disk::Inconsistent));
        let peer = PeerDevice {
            replication: match (self.connected, copies) {
                (false, _) => Replication::Off,
                (true, false) => Replication::Established,
                (true, true) if self.disk == Disk::Inconsistent => Replication::SyncTarget,
                (true, true) => Replication::SyncSource,
            },
            disk: self.peer_disk.map_or(words::Disk::DUnknown, word),
            ..PeerDevice::default()
        };
        let mut connection = Connection {
            state: match (self.connected, self.alone) {
                (true, _) => ConnectionState::Connected,
                (false, true) => ConnectionState::StandAlone,
                (false, false) => ConnectionState::Connecting,
            },
            role: role_word(self.peer_role),
            ..Connection::default()
        };
        connection.devices.insert(0, peer);
        resource.connections.insert("peer".to_owned(), connection);
        resource
    }
}

impl Cluster {
    /// The CIB as the DC would print it.
    fn xml(self) -> String {
        let (here, there) = (NAMES[self.node], NAMES[1 - self.node]);
        let member = "in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"";
        let peer = match self.peer {
            Belief::Member => member,
            Belief::Unclean => "in_ccm=\"false\" crmd=\"offline\" join=\"member\" expected=\"member\"",
            Belief::Down => "in_ccm=\"false\" crmd=\"offline\" join=\"down\" expected=\"down\"",
        };
        let history = match (self.peer, self.peer_role) {
            (Belief::Down, _) => String::new(),
            (_, role) => {
                let operation = match role {
                    Role::Stopped => "stop",
                    Role::Secondary => "start",
                    Role::Primary => "promote",
                };
                format!(
                    "<lrm id=\"{there}\"><lrm_resources><lrm_resource id=\"Data\"><lrm_rsc_op id=\"Data_last_0\" operation=\"{operation}\" \
                     rc-code=\"0\" op-status=\"0\"/></lrm_resource></lrm_resources></lrm>"
                )
            }
        };
        let placed = self.only.map_or_else(String::new, |only| {
            format!(
                "<rsc_location rsc=\"Clone\" id=\"drbd-fence-by-handler-kwdb-Clone\"><rule role=\"Master\" score=\"-INFINITY\" \
                 id=\"drbd-fence-by-handler-kwdb-rule-Clone\"><expression attribute=\"#uname\" operation=\"ne\" value=\"{}\" \
                 id=\"drbd-fence-by-handler-kwdb-expr-0-Clone\"/></rule></rsc_location>",
                NAMES[usize::from(only)]
            )
        });
        format!(
            "<cib have-quorum=\"{}\"><configuration><nodes><node id=\"1\" uname=\"A\"/><node id=\"2\" uname=\"B\"/></nodes><resources>\
             <clone id=\"Clone\"><primitive id=\"Data\"><instance_attributes id=\"i\"><nvpair id=\"n\" name=\"drbd_resource\" value=\"kwdb\"/>\
             </instance_attributes></primitive></clone></resources><constraints>{placed}</constraints></configuration><status>\
             <node_state uname=\"{here}\" {member}/><node_state uname=\"{there}\" {peer}>{history}</node_state></status></cib>",
            u8::from(self.quorum)
        )
    }
}

impl Production {
    /// With the agent's promotion scores: its default is `0 10 1000 10000`.
    pub fn new(scores: Scores) -> Self {
        Self {
            scores,
            score: Memory::default(),
            refusal: Memory::default(),
            lift: Memory::default(),
            gives_up: Memory::default(),
            handler: Memory::default(),
        }
    }

    /// The promotion score, 0 for none.
    pub fn score(&self, state: &State, node: Id) -> u64 {
        let view = View::of(state, node);
        self.score.ask(view, || {
            match policy::decide(&view.resource(), self.scores, IfPeerPrimary::Ignore).score {
                Score::Set(score) => score,
                Score::Remove | Score::Keep => 0,
            }
        })
    }

    /// Whether the agent refuses to promote.
    pub fn refuses(&self, state: &State, node: Id) -> bool {
        let view = View::of(state, node);
        self.refusal
            .ask(view, || policy::refusal(&view.resource()).is_some())
    }

    /// Whether the fencing constraint is to be lifted.
    pub fn lifts(&self, state: &State, node: Id) -> bool {
        let view = View::of(state, node);
        self.lift.ask(view, || {
            policy::is_primary_and_all_is_up_to_date(&view.resource())
        })
    }

    /// Whether a Primary without its disk gives its role away.
    pub fn gives_up(&self, state: &State, node: Id) -> bool {
        let view = View::of(state, node);
        self.gives_up
            .ask(view, || drbd::health::give_up(&view.resource()).is_some())
    }

    /// What the fence-peer handler says.
    pub fn handler(&self, state: &State, node: Id) -> Answer {
        let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
        let view = View::of(state, node);
        let cluster = Cluster {
            node,
            quorum: here.quorum,
            peer: here.peer,
            peer_role: there.role,
            answers: there.is_up() && state.ring,
            only: here.only,
        };
        self.handler.ask((view, cluster), || {
            let variables = [("DRBD_RESOURCE", "kwdb"), ("DRBD_PEER", NAMES[1 - node])];
            let env = (variables.iter())
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect();
            let request = Request::of(&env, NAMES[node]).expect("it is plain what DRBD asks");
            let decided = request.decide(
                &view.resource(),
                || Ok(cluster.xml()),
                || Ok(NAMES[node].to_owned()),
                |_| cluster.answers,
            );
            match decided.map(|exclusion| exclusion.verdict) {
                Ok(Verdict::Outdated | Verdict::Fenced) => Answer::Excluded,
                Ok(Verdict::BackAgain) | Err(_) => Answer::NotPlain,
            }
        })
    }
}

/// How the data of both belong together.
pub fn relation(state: &State) -> Relation {
    const BEFORE: u64 = 0xA0;
    let of = |node: Id| {
        let own = BEFORE + 0x10 * (node as u64 + 1);
        vec![if state.nodes[node].ahead {
            Generations {
                current: own,
                bitmaps: vec![BEFORE],
                history: Vec::new(),
            }
        } else {
            Generations {
                current: BEFORE,
                bitmaps: Vec::new(),
                history: Vec::new(),
            }
        }]
    };
    generation::relation(&of(0), &of(1)).expect("both have one volume")
}
