//! What `metrics` says when it cannot.

site::texts! {
    NOT_WRITTEN: "cannot write {directory}", "无法写入 {directory}";
}
