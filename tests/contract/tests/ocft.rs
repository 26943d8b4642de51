//! The cases that the resource-agents project's `ocft` has for its own file system agent, run on ours.

use contract::machine::AGENT;
use contract::on_a_bare_machine;
use contract::programs::Programs;
use std::path::Path;

const CASES: &str = "/usr/share/resource-agents/ocft/configs/Filesystem";

#[test]
fn the_cases_of_ocft_for_a_file_system() {
    on_a_bare_machine(|machine| {
        let provider = Path::new(AGENT)
            .parent()
            .expect("a file lies in a directory")
            .display();
        let agent = Programs::get().agent("filesystem");
        // Agent and root are changed, nothing else.
        let said = machine.shell(&format!(
            "cp {} {provider}/filesystem; mkdir -p /run/resource-agents /run/cases
             sed -e 's/^\\(\\s*Agent\\) .*/\\1 filesystem/' -e 's|^\\(\\s*AgentRoot\\) .*|\\1 {provider}|' {CASES} >/run/cases/filesystem
             ocft make -d /run/cases filesystem && ocft test filesystem 2>&1 || true",
            agent.display()
        ));
        let count = |word: &str| said.lines().filter(|line| line.contains(word)).count();
        let cases = count("    - case ");
        assert!(cases >= 14, "{said}");
        assert_eq!((count("mOK"), count("mFAILED")), (cases, 0), "{said}");
    });
}
