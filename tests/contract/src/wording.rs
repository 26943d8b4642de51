//! Words that the glossary replaces, and how to find them in a text.

/// English: what is not to be found, and what to write instead. A leading or trailing space is the edge of a word.
const ENGLISH: &[(&str, &str)] = &[
    (" anew ", "again"),
    (" mend ", "fix"),
    (" mends ", "fixes"),
    (" mended ", "fixed"),
    (" somebody ", "the passive, or who it is"),
    (" nobody ", "the passive, or 'no ...'"),
    (" whoever ", "'anyone who', or who it is"),
    (" is told ", "is reported"),
    (" was told ", "was reported, was informed"),
    (" are told ", "are reported"),
    (" goes on ", "continues"),
    (" go on ", "continue"),
    (" last words ", "last log lines"),
    (" they parted ", "they lost their connection"),
    (" nodes parted ", "the nodes lost their connection"),
    (" only fencing helps ", "the node must be fenced"),
    (" our agents ", "the agents of this suite"),
    (" pieces of advice ", "recommendations"),
    (" half made ", "incomplete"),
    (" put aside ", "set aside"),
    (" any more ", "no longer"),
    (" data are ", "data is"),
    (" data fork ", "the data sets diverge"),
    (" lose sight ", "lose contact"),
    (" node dies ", "the node crashes, the node fails"),
    (" server dies ", "the server crashes"),
    (" another authority ", "another CA"),
    (" is no block ", "is not a"),
    (" is no terminal ", "is not a"),
    (" as it shall ", "as planned"),
    (" from another life ", "left over from a previous use"),
];

/// Chinese: the same.
const CHINESE: &[(&str, &str)] = &[
    ("晋升", "提升"),
    ("法定票数", "仲裁（quorum）"),
    ("我们的代理", "本套件的资源代理"),
    ("备机", "备节点"),
    ("主端", "Primary"),
    ("从端", "Secondary"),
    ("存储目录", "数据目录"),
    ("重同步", "重新同步"),
    ("数据分叉", "数据不一致"),
    ("缺陷", "问题"),
    ("操作者", "用户"),
    ("替身", "模拟服务端"),
    ("代号", "第 N 版"),
    ("两个写入者", "双写"),
];

/// What does not follow a number, which may be 1: the number stands behind the word, or a unit's sign takes its place.
const COUNTED: &[&str] = &[
    "clients",
    "commits",
    "connections",
    "days",
    "errors",
    "failures",
    "findings",
    "nodes",
    "recommendations",
    "times",
    "tries",
    "warnings",
];

/// Plurals behind a placeholder of a number; `{} of {} nodes` is right for every number.
fn counted(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("} ").filter_map(|(at, _)| {
        let word = text[at + 2..].split(|c: char| !c.is_alphabetic()).next()?;
        let before = text[..at].rfind('{').map(|start| &text[..start])?;
        let is_wrong = COUNTED.contains(&word) && !before.ends_with("of ");
        is_wrong.then(|| format!("'{{…}} {word}': the number may be 1"))
    })
}

/// Words in the text that have a better one, each with it. English is looked at in sentences only: a single word may be a name.
pub fn complaints(text: &str) -> Vec<String> {
    let mut plain: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "'-_".contains(c) {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    plain = format!(" {} ", plain.split_whitespace().collect::<Vec<_>>().join(" "));
    let is_sentence = text.trim().contains(' ');
    let english = ENGLISH
        .iter()
        .filter(|(word, _)| is_sentence && plain.contains(word));
    let chinese = CHINESE.iter().filter(|(word, _)| text.contains(word));
    english
        .chain(chinese)
        .map(|(word, better)| format!("'{}': write {better}", word.trim()))
        .chain(counted(text))
        .collect()
}

/// A line without its code spans and link targets, which are not words of ours.
pub fn without_code(line: &str) -> String {
    let spans = line.split('`').step_by(2).collect::<Vec<_>>().join(" code ");
    let mut words = String::new();
    let mut rest = spans.as_str();
    while let Some((before, after)) = rest.split_once("](") {
        words += before;
        words.push(' ');
        rest = after.split_once(')').map_or("", |(_, behind)| behind);
    }
    words + rest
}
