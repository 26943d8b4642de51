//! What `help` says.

site::texts! {
    HEADING: "The handbook; show a part: 'kaiwudb-ha help' with its number. The options of a command: --help behind it",
        "手册；显示某一部分：kaiwudb-ha help 加编号。某个命令的选项：在命令之后加 --help";
    UNKNOWN: "the handbook has no part '{topic}'; 'kaiwudb-ha help' lists all parts", "手册中没有“{topic}”；kaiwudb-ha help 列出各部分";
}
