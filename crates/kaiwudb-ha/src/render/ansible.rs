//! A playbook that makes the cluster what the settings say: it writes them and has `kaiwudb-ha apply` do the rest, which changes nothing
//! the second time.

use std::fmt::Write;

/// The playbook with these settings.
pub(crate) fn playbook(settings: &str, nodes: &[String]) -> String {
    let content = settings.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{:10}{line}", "");
        // A block of YAML has no spaces at the ends of its lines.
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    });
    format!(
        "- name: KWDB on two nodes\n  hosts: {}\n  become: true\n  tasks:\n    - name: Write the settings\n      ansible.builtin.copy:\n        \
         content: |\n{content}        dest: /etc/kaiwudb/ha.toml\n        owner: root\n        group: root\n        mode: \"0600\"\n    \
         - name: Make the cluster what the settings say\n      ansible.builtin.command: kaiwudb-ha --json apply --yes\n      \
         run_once: true\n      register: kaiwudb_ha_apply\n      changed_when: (kaiwudb_ha_apply.stdout | from_json).changed\n",
        nodes.join(",")
    )
}
