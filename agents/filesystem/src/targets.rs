//! What has to be unmounted before the device is free.

use crate::config::{Config, is_of};
use crate::note::Note;
use host::block;
use host::mount::{self, Mount};
use host::namespace::Namespace;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A mount that has to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) mount: &'a Mount,
    /// Number of the mount that cannot go before this one.
    pub(crate) holds: Option<u64>,
    /// Whether its users may be ended: it came with this resource's mount. One that was there before a start, or without one,
    /// belongs to others.
    pub(crate) came_with_us: bool,
}

/// What is mounted in every namespace, and which part of it is the device's.
struct Scene<'a> {
    namespaces: &'a [Namespace],
    ours: &'a [Mount],
    targets: Vec<Target<'a>>,
    /// Place in `targets` by the number of the mount.
    places: HashMap<u64, usize>,
}

/// Everything that has to go, each behind what it holds: mounts of the device in every namespace, what is mounted on or below
/// them, overlays of their directories, images of disks that lie on them. Where the device is the root file system's, too, only
/// what is on the directory has to go: no other node can have that device.
pub(crate) fn find<'a>(config: &Config, note: Option<&Note>, namespaces: &'a [Namespace]) -> Vec<Target<'a>> {
    let ours = namespaces.first().map_or(&[][..], |ours| &ours.mounts);
    let on_directory: HashSet<u64> = ours
        .iter()
        .filter(|mount| mount.point == config.directory && config.is_ours(mount, note))
        .map(|mount| mount.id)
        .collect();
    let mut scene = Scene {
        namespaces,
        ours,
        targets: Vec::new(),
        places: HashMap::new(),
    };
    let device = config.device_number();
    let mut file_systems: HashSet<&str> = note.iter().map(|note| note.file_system.as_str()).collect();
    for (_, mount) in scene.mounts() {
        if on_directory.contains(&mount.id) || is_of(device.as_deref(), mount) {
            file_systems.insert(&mount.device);
        }
    }
    let is_device = |mount: &Mount| file_systems.contains(mount.device.as_str());
    let is_system = ours.iter().any(|mount| is_root(mount) && is_device(mount));
    let since_start = |mount: &Mount| note.is_some_and(|note| note.is_new(mount));
    for (namespace, mount) in scene.mounts() {
        let is_on_directory = on_directory.contains(&mount.id);
        if is_on_directory || (is_device(mount) && !is_system) {
            scene.add(Target {
                namespace,
                mount,
                holds: None,
                came_with_us: is_on_directory || since_start(mount),
            });
        }
    }
    scene.add_dependents(&is_device);
    scene.targets
}

/// Not to be unmounted: the kernel takes it for a wish to make the file system read-only.
pub(crate) fn is_root(mount: &Mount) -> bool {
    mount.point == Path::new("/")
}

impl<'a> Scene<'a> {
    fn mounts(&self) -> impl Iterator<Item = (&'a Namespace, &'a Mount)> + use<'a> {
        let namespaces: &'a [Namespace] = self.namespaces;
        namespaces
            .iter()
            .flat_map(|namespace| namespace.mounts.iter().map(move |mount| (namespace, mount)))
    }

    fn add(&mut self, target: Target<'a>) {
        self.places.entry(target.mount.id).or_insert_with(|| {
            self.targets.push(target);
            self.targets.len() - 1
        });
    }

    /// Adds what holds a target, and what holds that, until nothing is left to add.
    fn add_dependents(&mut self, is_device: &dyn Fn(&Mount) -> bool) {
        let images = block::loops();
        let mut known = 0;
        while known < self.targets.len() {
            known = self.targets.len();
            for (namespace, mount) in self.mounts() {
                let image = images.iter().find(|image| image.device == mount.device);
                let image = image.and_then(|image| mount::covering(self.ours, &image.backing));
                let overlaid = overlaid(mount, self.ours).filter(|below| is_device(below));
                let mut held = [mount.parent]
                    .into_iter()
                    .chain(image.into_iter().chain(overlaid).map(|below| below.id));
                if let Some(place) = held.find_map(|id| self.places.get(&id)) {
                    let below = self.targets[*place];
                    self.add(Target {
                        namespace,
                        mount,
                        holds: Some(below.mount.id),
                        came_with_us: below.came_with_us,
                    });
                }
            }
        }
    }
}

/// The mounts on which an overlay's directories lie.
fn overlaid<'a>(mount: &Mount, mounts: &'a [Mount]) -> impl Iterator<Item = &'a Mount> {
    let options = (mount.kind == "overlay").then_some(mount.super_options.as_str());
    options
        .into_iter()
        .flat_map(|options| options.split(','))
        .filter_map(|option| option.split_once('='))
        .filter(|(name, _)| matches!(name.trim_end_matches('+'), "lowerdir" | "upperdir" | "datadir"))
        .flat_map(|(_, directories)| directories.split(':'))
        .filter_map(|directory| mount::covering(mounts, Path::new(directory)))
}
