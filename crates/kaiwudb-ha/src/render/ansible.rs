//! A playbook that makes the cluster what the settings say: it writes them and has `kaiwudb-ha apply` do the rest, which changes nothing
//! the second time.

use super::yaml;

/// The playbook with these settings. Ansible does not look for expressions of its own in what is `!unsafe`.
pub(crate) fn playbook(settings: &str, nodes: &[String]) -> String {
    format!(
        "- name: KWDB on two nodes\n  hosts: {}\n  become: true\n  tasks:\n    - name: Write the settings\n      ansible.builtin.copy:\n        \
         content: !unsafe {}\n        dest: {}\n        owner: root\n        group: root\n        mode: \"0600\"\n    \
         - name: Make the cluster what the settings say\n      ansible.builtin.command: kaiwudb-ha --json apply --yes\n      \
         run_once: true\n      register: kaiwudb_ha_apply\n      changed_when: (kaiwudb_ha_apply.stdout | from_json).changed\n",
        yaml::quoted(&nodes.join(",")),
        yaml::block(settings, 10),
        site::settings::FILE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::{Command, Deadline};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use std::time::Duration;

    /// Prints what `PyYAML`, which is Ansible's parser, reads of a playbook: how many plays and tasks, and the settings.
    const READ: &str = "import sys, yaml, json
class Loader(yaml.SafeLoader): pass
Loader.add_constructor('!unsafe', lambda loader, node: ['unsafe', loader.construct_scalar(node)])
for text in json.load(sys.stdin):
    plays = yaml.load(text, Loader)
    tasks = plays[0]['tasks']
    print(json.dumps([len(plays), len(tasks), plays[0]['hosts'], tasks[0]['ansible.builtin.copy']['content']]))
";

    fn read(playbooks: &[String]) -> Vec<(usize, usize, String, (String, String))> {
        let input = serde_json::to_string(playbooks).unwrap();
        let output = Command::new("python3")
            .args(["-c", READ])
            .input(input)
            .run_ok(Deadline::after(Duration::from_secs(120)))
            .unwrap();
        output
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn settings_stay_text_whatever_is_in_them() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let piece = prop_oneof![
            any::<String>(),
            "[ -~\n]{0,40}",
            Just("\u{2028}- hosts: all\n  tasks: []\n".to_owned()),
            Just("\u{85}- name: evil".to_owned()),
            Just("{{ lookup('pipe', 'id') }}".to_owned()),
            Just("\n\n  x\n".to_owned()),
            Just("\u{feff}\u{fffe}\r\n---\n...\n".to_owned()),
        ];
        let texts = proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat());
        let texts: Vec<String> = (0..1000)
            .map(|_| texts.new_tree(&mut runner).unwrap().current())
            .chain([String::new(), "# x\n[nodes.a]\n\naddress = \"1\"\n".to_owned()])
            .collect();
        let nodes = ["a\"\n- hosts: all".to_owned(), "b".to_owned()];
        let playbooks: Vec<String> = texts.iter().map(|text| playbook(text, &nodes)).collect();
        let found = read(&playbooks);
        assert_eq!(found.len(), texts.len());
        for (text, found) in texts.iter().zip(found) {
            let expected = (1, 2, nodes.join(","), ("unsafe".to_owned(), text.clone()));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn ordinary_settings_are_for_people() {
        let text = playbook("[nodes.a]\n\n# 数据\nx = 1\n", &[]);
        assert!(
            text.contains(
                "content: !unsafe |\n          [nodes.a]\n\n          # 数据\n          x = 1\n        dest:"
            ),
            "{text}"
        );
    }
}
