//! Messages on their way: one file for each message and channel, which stays until that channel has taken it, over reboots, too.

use crate::Message;
use crate::channel::Channel;
use host::bounded::{self, Background, BoundedError};
use host::{Deadline, file, log};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many deliveries may wait; the oldest gives way.
const MOST: usize = 200;
/// So many deliveries are under way at once.
const AT_ONCE: usize = 16;
/// How long one try may take, a name server that does not answer and the reply of a robot included.
const ONE_TRY: Duration = Duration::from_secs(20);
/// Seconds until the next try after the first, second, … one that failed; the last holds for all that follow.
const PAUSES: [i64; 7] = [5, 10, 30, 60, 120, 300, 900];
/// What is this old, in seconds, helps nobody.
const TOO_OLD: i64 = 3 * 86_400;
/// What is kept of an error, in characters.
const LONGEST_ERROR: usize = 300;

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Delivery {
    message: Message,
    channel: String,
    tries: usize,
    /// When it is tried next, in seconds since 1970. A clock that goes back does not hold it up: see [`Delivery::is_due`].
    next: i64,
    error: String,
}

/// A delivery that a channel has not taken yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// Name of the channel.
    pub channel: String,
    /// What it is about.
    pub subject: String,
    /// How often it was tried.
    pub tries: usize,
    /// What came of it last.
    pub error: String,
}

/// Those that wait.
#[derive(Clone, Debug)]
pub struct Outbox {
    directory: PathBuf,
}

/// Carries them, all at once: a server that does not answer holds up no other one.
#[derive(Debug)]
pub struct Courier {
    outbox: Outbox,
    under_way: Vec<(PathBuf, Background)>,
}

impl Delivery {
    fn pause(&self) -> i64 {
        let last = PAUSES.len() - 1;
        PAUSES[self.tries.saturating_sub(1).min(last)]
    }

    /// Whether it is time, by a clock that may have been set meanwhile.
    fn is_due(&self, now: i64) -> bool {
        self.tries == 0 || now >= self.next || self.next - now > self.pause()
    }
}

impl Outbox {
    /// That below this directory.
    pub fn at(directory: &Path) -> Self {
        Self {
            directory: directory.join("outbox"),
        }
    }

    /// Puts a message there for each of the channels. An error leaves it undelivered: it says that nothing can be written.
    pub fn put(&self, message: &Message, channels: &[Channel]) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        self.make_room(channels.len());
        for channel in channels {
            let delivery = Delivery {
                message: message.clone(),
                channel: channel.name.clone(),
                tries: 0,
                next: 0,
                error: String::new(),
            };
            write(
                &self.directory.join(format!("{}.{}", message.id, channel.name)),
                &delivery,
            )?;
        }
        Ok(())
    }

    fn make_room(&self, wanted: usize) {
        let waiting = self.paths();
        let too_many = (waiting.len() + wanted).saturating_sub(MOST);
        for path in waiting.iter().take(too_many) {
            log::error(format!("too many messages wait; given up: {}", path.display()));
            let _ = fs::remove_file(path);
        }
    }

    /// What waits, the oldest first.
    pub fn undelivered(&self) -> Vec<Undelivered> {
        let deliveries = self.paths().into_iter().filter_map(|path| read(&path));
        let undelivered = deliveries.map(|delivery| Undelivered {
            channel: delivery.channel,
            subject: delivery.message.subject,
            tries: delivery.tries,
            error: delivery.error,
        });
        undelivered.collect()
    }

    /// The files in the order of their messages.
    fn paths(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_none_or(|extension| extension != "new"))
            .collect();
        paths.sort();
        paths
    }
}

impl Courier {
    /// Of this outbox.
    pub const fn of(outbox: Outbox) -> Self {
        Self {
            outbox,
            under_way: Vec::new(),
        }
    }

    /// Whether something is on its way at this moment.
    pub fn is_busy(&mut self) -> bool {
        self.under_way.retain(|(_, child)| child.result().is_none());
        !self.under_way.is_empty()
    }

    /// Sends off what is due at `now`, in seconds since 1970. Returns the seconds until the next try; `None` when nothing waits that is not
    /// on its way.
    pub fn send_due(&mut self, channels: &[Channel], now: i64) -> Option<i64> {
        let busy = self.is_busy();
        let mut next = None;
        for path in self.outbox.paths() {
            if busy && self.under_way.iter().any(|(other, _)| *other == path) {
                continue;
            }
            let known = read(&path).and_then(|delivery| {
                let channel = channels.iter().find(|channel| channel.name == delivery.channel)?;
                Some((delivery, channel))
            });
            // No delivery, or the settings have changed.
            let Some((delivery, channel)) = known else {
                let _ = fs::remove_file(&path);
                continue;
            };
            if now - delivery.message.at > TOO_OLD {
                let (tries, subject) = (delivery.tries, &delivery.message.subject);
                log::error(format!("{}: given up (tries: {tries}): {subject}", channel.name));
                let _ = fs::remove_file(&path);
            } else if !delivery.is_due(now) {
                let wait = (delivery.next - now).max(0);
                next = Some(next.map_or(wait, |next: i64| next.min(wait)));
            } else if self.under_way.len() < AT_ONCE {
                let work = || carry(&path, delivery, channel, now);
                match Background::start(work) {
                    Ok(child) => self.under_way.push((path, child)),
                    Err(error) => log::error(format!("{}: {error}", channel.name)),
                }
            } else {
                next = Some(0);
            }
        }
        next
    }

    /// Sends a message that cannot be put into the outbox: once, to every channel.
    pub fn send_unkept(&mut self, message: &Message, channels: &[Channel]) {
        for channel in channels {
            let work = || match attempt(channel, message) {
                Ok(()) => 0,
                Err(why) => {
                    log::error(format!(
                        "{}: {why}; not kept for another try: {}",
                        channel.name, message.subject
                    ));
                    1
                }
            };
            if let Ok(child) = Background::start(work) {
                self.under_way.push((PathBuf::new(), child));
            }
        }
    }
}

/// Tries one, and takes down what came of it.
fn carry(path: &Path, mut delivery: Delivery, channel: &Channel, now: i64) -> u8 {
    match attempt(channel, &delivery.message) {
        Ok(()) => {
            log::info(format!("{}: told: {}", channel.name, delivery.message.subject));
            let _ = fs::remove_file(path);
            0
        }
        Err(why) => {
            log::warning(format!("{}: {why}", channel.name));
            delivery.tries += 1;
            delivery.next = now + delivery.pause();
            delivery.error = why;
            let _ = write(path, &delivery);
            1
        }
    }
}

fn write(path: &Path, delivery: &Delivery) -> io::Result<()> {
    file::replace_synced(path, &serde_json::to_string(delivery)?)
}

fn read(path: &Path) -> Option<Delivery> {
    serde_json::from_str(&file::read_text(path).ok()??).ok()
}

/// One try, in a child: what answers at the other end, and our own parsers of it, can neither hold nor harm us. The error is one line.
pub fn attempt(channel: &Channel, message: &Message) -> Result<(), String> {
    let work = || {
        channel
            .send(message, Deadline::after(ONE_TRY))
            .err()
            .unwrap_or_default()
    };
    let said = bounded::run(Deadline::after(ONE_TRY), || work().into_bytes());
    let why = match said {
        Ok(bytes) if bytes.is_empty() => return Ok(()),
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(BoundedError::DeadlineOver) => format!("no answer within {} s", ONE_TRY.as_secs()),
        Err(error) => error.to_string(),
    };
    let shown = |c: char| if host::is_printable(c) { c } else { ' ' };
    Err(why.chars().take(LONGEST_ERROR).map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Way;
    use crate::message::tests::any;

    fn channel(name: &str, program: &str) -> Channel {
        Channel {
            name: name.into(),
            way: Way::Command(vec!["sh".into(), "-c".into(), program.into()]),
        }
    }

    /// Sends what is due and waits for what comes of it.
    fn deliver(outbox: &Outbox, channels: &[Channel], now: i64) -> Option<i64> {
        let mut courier = Courier::of(outbox.clone());
        let patience = Deadline::after(Duration::from_secs(60));
        loop {
            let next = courier.send_due(channels, now);
            if !courier.is_busy() && next != Some(0) {
                return courier.send_due(channels, now);
            }
            assert!(patience.pause(Duration::from_millis(5)), "it does not end");
        }
    }

    #[test]
    fn what_was_taken_is_gone_and_what_was_not_is_tried_again() {
        let place = tempfile::tempdir().unwrap();
        let outbox = Outbox::at(place.path());
        let went = place.path().join("went");
        let append = format!("cat >>{}; exit 0", went.display());
        let channels = [
            channel("good", &append),
            channel("bad", "echo no room >&2; exit 1"),
        ];
        let message = any();
        outbox.put(&message, &channels).unwrap();
        assert_eq!(outbox.undelivered().len(), 2);
        assert_eq!(deliver(&outbox, &channels, message.at), Some(5));
        let waiting = outbox.undelivered();
        assert_eq!(waiting.len(), 1);
        assert_eq!((waiting[0].channel.as_str(), waiting[0].tries), ("bad", 1));
        assert!(waiting[0].error.contains("no room"), "{waiting:?}");
        // Too early; then later and later.
        assert_eq!(deliver(&outbox, &channels, message.at + 1), Some(4));
        assert_eq!(deliver(&outbox, &channels, message.at + 5), Some(10));
        // As after a reboot, with a channel that works again.
        let outbox = Outbox::at(place.path());
        let channels = [channel("bad", &append)];
        assert_eq!(deliver(&outbox, &channels, message.at + 3600), None);
        assert_eq!(fs::read_to_string(went).unwrap().matches("node-lost").count(), 2);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let place = tempfile::tempdir().unwrap();
        let outbox = Outbox::at(place.path());
        let bad = [channel("bad", "exit 1")];
        let message = any();
        outbox.put(&message, &bad).unwrap();
        deliver(&outbox, &bad, message.at + 1000);
        assert_eq!(
            deliver(&outbox, &[channel("bad", "exit 0")], message.at - 90_000),
            None
        );
    }

    #[test]
    fn there_is_an_end() {
        let place = tempfile::tempdir().unwrap();
        let outbox = Outbox::at(place.path());
        let bad = [channel("bad", "exit 1")];
        for number in 0..MOST + 3 {
            let message = Message {
                id: format!("{number:05}"),
                ..any()
            };
            outbox.put(&message, &bad).unwrap();
        }
        assert_eq!(outbox.undelivered().len(), MOST);
        // Nobody is helped by it any more, or nobody is to be told any more.
        assert_eq!(deliver(&outbox, &bad, any().at + TOO_OLD + 1), None);
        outbox.put(&any(), &bad).unwrap();
        assert_eq!(deliver(&outbox, &[], any().at), None);
        assert!(outbox.undelivered().is_empty());
    }

    #[test]
    fn a_channel_that_hangs_holds_up_no_other() {
        let place = tempfile::tempdir().unwrap();
        let outbox = Outbox::at(place.path());
        let went = place.path().join("went");
        let channels = [
            channel("hangs", "sleep 60"),
            channel("good", &format!("cat >{}", went.display())),
        ];
        outbox.put(&any(), &channels).unwrap();
        let mut courier = Courier::of(outbox.clone());
        courier.send_due(&channels, any().at);
        let patience = Deadline::after(Duration::from_secs(15));
        while outbox.undelivered().len() > 1 {
            assert!(
                patience.pause(Duration::from_millis(5)),
                "it waits for the other one"
            );
        }
        assert!(courier.is_busy() && courier.send_due(&channels, any().at).is_none());
    }

    #[test]
    fn what_cannot_be_kept_is_sent_all_the_same() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("outbox"), "no directory").unwrap();
        let outbox = Outbox::at(place.path());
        let went = place.path().join("went");
        let channels = [channel("good", &format!("cat >{}", went.display()))];
        assert!(outbox.put(&any(), &channels).is_err());
        let mut courier = Courier::of(outbox);
        courier.send_unkept(&any(), &channels);
        let patience = Deadline::after(Duration::from_secs(60));
        while courier.is_busy() {
            assert!(patience.pause(Duration::from_millis(5)), "it does not end");
        }
        assert!(fs::read_to_string(went).unwrap().contains("node-lost"));
    }

    #[test]
    fn what_is_no_delivery_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let outbox = Outbox::at(place.path());
        outbox.put(&any(), &[]).unwrap();
        fs::write(place.path().join("outbox/1"), "{\"mess").unwrap();
        assert_eq!(deliver(&outbox, &[], 0), None);
        assert_eq!(fs::read_dir(place.path().join("outbox")).unwrap().count(), 0);
    }
}
