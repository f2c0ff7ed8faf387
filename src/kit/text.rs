//! Lines of text that people type, and numbers as they read them.

/// Why a text is not a line we can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALine {
    #[error("That is too long: {0} characters at most.")]
    TooLong(usize),
    #[error("Remove the line break or control character.")]
    Control,
}

/// The text without the space around it, if it is one line of at most `most` characters.
pub fn line(text: &str, most: usize) -> Result<String, NotALine> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(NotALine::Control);
    }
    if text.chars().count() > most {
        return Err(NotALine::TooLong(most));
    }
    Ok(text.to_owned())
}

/// Such as "1 user" or "12 users".
pub fn counted(count: impl std::fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// What somebody searches for, folded for comparing; what no text can hold is left out.
pub fn sought(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    kept.trim().to_lowercase()
}

/// What `LIKE` is asked to find `sought` anywhere in a folded text; empty for nothing sought.
pub fn anywhere(sought: &str) -> String {
    if sought.is_empty() {
        return String::new();
    }
    format!("%{}%", sought.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"))
}

/// The words of what somebody searches for, folded: letters and digits, at most eight.
pub fn words(text: &str) -> Vec<String> {
    let sought = sought(text);
    let words = sought.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(8).map(str::to_owned).collect()
}

/// Bytes as people compare them: two capitals or digits each.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_is_kept_as_it_is_or_refused(text in any::<String>(), most in 0_usize..40) {
            match line(&text, most) {
                Ok(kept) => {
                    prop_assert_eq!(&kept, text.trim());
                    prop_assert!(kept.chars().count() <= most);
                    prop_assert!(!kept.contains('\0'), "Postgres takes no such text");
                }
                Err(NotALine::TooLong(_)) => prop_assert!(text.trim().chars().count() > most),
                Err(NotALine::Control) => prop_assert!(text.chars().any(char::is_control)),
            }
        }

        #[test]
        fn what_is_sought_holds_nothing_that_postgres_refuses(text in any::<String>()) {
            prop_assert!(!sought(&text).chars().any(|c| c == '\0'));
        }

        #[test]
        fn words_hold_nothing_that_a_search_for_words_has_a_meaning_for(text in any::<String>()) {
            let words = words(&text);
            prop_assert!(words.len() <= 8);
            prop_assert!(words.iter().all(|word| !word.is_empty() && word.chars().all(char::is_alphanumeric)));
        }
    }

    #[test]
    fn what_like_has_a_meaning_for_is_meant_as_it_stands() {
        assert_eq!(anywhere(""), "");
        assert_eq!(anywhere(r"50%_a\b"), r"%50\%\_a\\b%");
    }
}
