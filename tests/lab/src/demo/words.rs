//! The user's language: Chinese for Chinese locales, English otherwise.

use std::sync::LazyLock;

static IS_CHINESE: LazyLock<bool> = LazyLock::new(|| {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    is_chinese(&locale.unwrap_or_default().to_string_lossy())
});

fn is_chinese(locale: &str) -> bool {
    locale.to_ascii_lowercase().starts_with("zh")
}

/// One text or the other.
pub(super) fn words<T>(english: T, chinese: T) -> T {
    if *IS_CHINESE { chinese } else { english }
}

#[cfg(test)]
mod tests {
    #[test]
    fn chinese_locales() {
        for locale in ["zh_CN.UTF-8", "zh", "ZH_TW"] {
            assert!(super::is_chinese(locale), "{locale}");
        }
        for locale in ["", "C", "en_US.UTF-8"] {
            assert!(!super::is_chinese(locale), "{locale}");
        }
    }
}
