//! What the command asks when it cannot decide.

site::texts! {
    WHICH: "Which one? ", "请选择哪一个：";
    NOT_ONE_OF_THEM: "'{answer}' is not one of: {names}; nothing was done", "“{answer}”不在可选范围内：{names}；未做任何更改";
}
