//! A file that says who is who: strictly read, line by line, before anything comes of it.
//!
//! The first line names the columns; two of them count: *CloudLink user id* and *Match with*.
//! The latter holds a sign-in address, a mail address or an object id of Entra, or the word
//! `automatic`; empty leaves the user alone. Commas and semicolons are both taken, for
//! spreadsheets write what their country does.

use serde::{Deserialize, Serialize};

use crate::ids::CloudlinkUserId;
use crate::kit::http::clean;

/// The columns that count, as the download names them.
pub const USER: &str = "CloudLink user id";
pub const MATCH: &str = "Match with";
/// The word that leaves somebody to automatic matching again.
pub const AUTOMATIC: &str = "automatic";

pub const MOST_BYTES: usize = 2 * 1024 * 1024;
const MOST_LINES: usize = 20_000;
const LONGEST: usize = 256;

/// Why a file is of no use at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFile {
    #[error("The file is empty.")]
    Empty,
    #[error("The file is not written in UTF-8. Save it as “CSV UTF-8”.")]
    NotUtf8,
    #[error("The first line has to name the column “{0}”.")]
    NoColumn(&'static str),
    #[error("The first line names the column “{0}” twice.")]
    TwoColumns(&'static str),
    #[error("The file has more than {MOST_LINES} lines. Split it.")]
    TooLong,
    #[error("No line says whom to match with: the column “{MATCH}” is empty everywhere.")]
    SaysNothing,
}

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counted as a text editor does.
    pub number: u32,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// An address or an object id, lower case.
    Match {
        user: CloudlinkUserId,
        with: String,
    },
    Automatic {
        user: CloudlinkUserId,
    },
    /// It makes no sense, and why.
    Nonsense(String),
}

/// Reads a file. Lines that leave a user alone are left out.
pub fn read(bytes: &[u8]) -> Result<Vec<Line>, NotAFile> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| NotAFile::NotUtf8)?;
    let head = text.lines().next().filter(|head| !head.trim().is_empty());
    let head = head.ok_or(NotAFile::Empty)?;
    let separator = if head.contains(';') && !head.contains(',') { b';' } else { b',' };
    let mut sheet = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(true)
        .flexible(true)
        .from_reader(text.as_bytes());
    let columns = sheet.headers().map_err(|_| NotAFile::NotUtf8)?.clone();
    let (user, with) = (column(&columns, USER)?, column(&columns, MATCH)?);
    let mut lines = Vec::new();
    let mut count = LineCount { text, counted: 0, number: 1 };
    for record in sheet.records() {
        if lines.len() >= MOST_LINES {
            return Err(NotAFile::TooLong);
        }
        let Ok(record) = record else { continue };
        let number = count.line_at(record.position().map_or(0, csv::Position::byte));
        let cell = |at: usize| plain(record.get(at).unwrap_or_default());
        if record.len() != columns.len() && record.iter().any(|cell| !cell.trim().is_empty()) {
            let why =
                format!("It has {} cells, and the first line {}.", record.len(), columns.len());
            lines.push(Line { number, said: Said::Nonsense(why) });
        } else if let Some(said) = said(&cell(user), &cell(with)) {
            lines.push(Line { number, said });
        }
    }
    if lines.is_empty() { Err(NotAFile::SaysNothing) } else { Ok(lines) }
}

/// Counts lines as an editor does: the reader of the file leaves out empty ones, and has a line
/// begin before the second half of a CR LF.
struct LineCount<'a> {
    text: &'a str,
    counted: usize,
    number: u32,
}

impl LineCount<'_> {
    /// The number of the line on which a record begins, found from where the one before it ended.
    fn line_at(&mut self, end_of_last: u64) -> u32 {
        let from = usize::try_from(end_of_last).unwrap_or(usize::MAX).min(self.text.len());
        let bytes = self.text.as_bytes();
        let breaks = bytes.iter().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let begins = from + breaks.count();
        let passed = bytes.get(self.counted..begins).unwrap_or_default();
        let newlines = passed.split(|byte| *byte == b'\n').skip(1).count();
        self.number = self.number.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.counted = begins.max(self.counted);
        self.number
    }
}

fn column(columns: &csv::StringRecord, wanted: &'static str) -> Result<usize, NotAFile> {
    let mut found = columns
        .iter()
        .enumerate()
        .filter(|(_, name)| plain(name).eq_ignore_ascii_case(wanted))
        .map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => Err(NotAFile::TwoColumns(wanted)),
        (None, _) => Err(NotAFile::NoColumn(wanted)),
    }
}

/// A cell without what was put before it to keep a spreadsheet from running it.
fn plain(cell: &str) -> String {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

fn said(user: &str, with: &str) -> Option<Said> {
    if with.is_empty() {
        return None;
    }
    let nonsense = |why: String| Some(Said::Nonsense(why));
    if user.is_empty() {
        return nonsense(format!("The column “{USER}” is empty."));
    }
    let Ok(user) = CloudlinkUserId::parse(user) else {
        return nonsense(format!("“{}” is not the id of a CloudLink user.", clean(user, 60)));
    };
    if with.eq_ignore_ascii_case(AUTOMATIC) {
        return Some(Said::Automatic { user });
    }
    let is_id = with.parse::<crate::ids::EntraUserId>().is_ok();
    let is_address = with.len() <= LONGEST
        && with
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !with.contains(|c: char| c.is_control() || c.is_whitespace());
    if is_id || is_address {
        return Some(Said::Match { user, with: with.to_lowercase() });
    }
    nonsense(format!(
        "“{}” is neither an address, nor an object id, nor the word {AUTOMATIC}.",
        clean(with, 60)
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        for text in [
            "CloudLink user id,Name,Match with\nu1,Ann,ann@x.example\nu2,Bo,\n",
            "CloudLink user id;Name;Match with\r\nu1;Ann;Ann@X.example\r\n",
            "\u{feff}match WITH,cloudlink USER id\n ann@x.example , u1 \n",
            "Match with,CloudLink user id\n\"ann@x.example\",\"u1\"",
        ] {
            let expected =
                Said::Match { user: "u1".parse().unwrap(), with: "ann@x.example".into() };
            assert_eq!(lines(text), [Line { number: 2, said: expected }], "{text}");
        }
        let undone = lines("CloudLink user id,Match with\nu1,Automatic");
        assert_eq!(undone[0].said, Said::Automatic { user: "u1".parse().unwrap() });
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let text =
            "CloudLink user id,Match with\nu1,ann\n,ann@x.example\nu/2,a@b\nu3,a@b,c\n\nu4,a b@c";
        let said: Vec<_> = lines(text)
            .into_iter()
            .map(|line| (line.number, matches!(line.said, Said::Nonsense(_))))
            .collect();
        assert_eq!(said, [(2, true), (3, true), (4, true), (5, true), (7, true)]);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_whole() {
        let refused = |bytes: &[u8]| read(bytes).unwrap_err();
        assert_eq!(refused(b""), NotAFile::Empty);
        assert_eq!(refused(b"\xff\xfe\x00"), NotAFile::NotUtf8);
        assert_eq!(refused(b"Name,Match with\n"), NotAFile::NoColumn(USER));
        assert_eq!(
            refused(b"CloudLink user id,Match with,match with\n"),
            NotAFile::TwoColumns(MATCH)
        );
        assert_eq!(refused(b"CloudLink user id,Match with\nu1,\n"), NotAFile::SaysNothing);
        let long = format!("CloudLink user id,Match with\n{}", "u1,a@b\n".repeat(MOST_LINES + 1));
        assert_eq!(refused(long.as_bytes()), NotAFile::TooLong);
    }

    proptest! {
        #[test]
        fn no_bytes_can_break_the_reading(bytes: Vec<u8>, rest in "\\PC{0,60}") {
            let _ = read(&bytes);
            if let Ok(lines) = read(format!("CloudLink user id,Match with\n{rest}").as_bytes()) {
                prop_assert!(lines.iter().all(|line| line.number >= 2));
            }
        }
    }
}
