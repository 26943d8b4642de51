//! Writes the command's manual pages and shell completions, English and Chinese, below a directory, as they are installed below
//! `/usr/share`. Argument: the directory.

use clap_complete::Shell;
use kaiwudb_ha::cli::{Language, command};
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let directory: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or_else(|| io::Error::other("give the directory to write to"))?
        .into();
    for (language, man) in [
        (Language::English, "man/man8"),
        (Language::Chinese, "man/zh_CN/man8"),
    ] {
        let man = directory.join(man);
        fs::create_dir_all(&man)?;
        clap_mangen::generate_to(command(language), &man)?;
        section_8(&man)?;
    }
    for (shell, place) in [
        (Shell::Bash, "bash-completion/completions/kaiwudb-ha"),
        (Shell::Zsh, "zsh/vendor-completions/_kaiwudb-ha"),
        (Shell::Fish, "fish/vendor_completions.d/kaiwudb-ha.fish"),
    ] {
        let path = directory.join(place);
        fs::create_dir_all(path.parent().unwrap_or(&directory))?;
        let mut file = fs::File::create(path)?;
        clap_complete::generate(shell, &mut command(Language::English), "kaiwudb-ha", &mut file);
    }
    Ok(())
}

/// An administrator's command is in section 8; the generator writes section 1.
fn section_8(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "1") {
            let page = fs::read_to_string(&path)?;
            fs::write(
                path.with_extension("8"),
                page.replace("(1)", "(8)").replacen(" 1 ", " 8 ", 1),
            )?;
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
