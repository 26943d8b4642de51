//! The packages of the workspace that are shipped, and their files.

use crate::paths::{self, Said};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module by its path in the package, without the package: `["verbs", "check"]`; the root is empty.
pub type Module = Vec<String>;

/// A package.
#[derive(Debug)]
pub struct Package {
    /// Its name, by which others depend on it.
    pub name: String,
    /// Its directory: `crates/site`.
    pub directory: String,
    /// Packages of the workspace that it depends on, tests aside.
    pub depends_on: Vec<String>,
    /// What the file of each module says.
    pub modules: BTreeMap<Module, Said>,
}

/// The root of the source tree.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every package below `crates` and `agents`.
pub fn all() -> Vec<Package> {
    let root = repository();
    let mut found = Vec::new();
    for above in ["crates", "agents"] {
        for entry in fs::read_dir(root.join(above)).expect("there are packages") {
            let directory = entry.expect("a directory can be read").path();
            if directory.join("Cargo.toml").exists() {
                let name = directory.file_name().expect("it has a name").to_string_lossy();
                found.push(package(&directory, format!("{above}/{name}")));
            }
        }
    }
    found.sort_by(|one, other| one.directory.cmp(&other.directory));
    found
}

fn package(path: &Path, directory: String) -> Package {
    let manifest = fs::read_to_string(path.join("Cargo.toml")).expect("a package has a manifest");
    let manifest: toml::Table = manifest.parse().expect("a manifest can be parsed");
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    let mut modules = BTreeMap::new();
    collect(
        &path.join("src/lib.rs"),
        &path.join("src"),
        Module::new(),
        &mut modules,
    );
    let name = manifest.get("package").and_then(|package| package.get("name"));
    Package {
        name: name.and_then(toml::Value::as_str).unwrap_or_default().to_owned(),
        directory,
        depends_on: dependencies
            .into_iter()
            .flat_map(toml::Table::keys)
            .cloned()
            .collect(),
        modules,
    }
}

/// Reads a module's file and those of the modules in it; `below` is where those are.
fn collect(file: &Path, below: &Path, module: Module, modules: &mut BTreeMap<Module, Said>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let said = paths::read(&text);
    for name in &said.modules {
        let inner = [module.as_slice(), std::slice::from_ref(name)].concat();
        collect(
            &below.join(format!("{name}.rs")),
            &below.join(name),
            inner,
            modules,
        );
    }
    modules.insert(module, said);
}
