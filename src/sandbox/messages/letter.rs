//! Reading a letter: its headers, and its text out of whatever it was encoded in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::Letter;

pub(super) fn read(raw: &[u8], from: &str, to: &str, at: DateTime<Utc>) -> Letter {
    let raw = String::from_utf8_lossy(raw).replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").unwrap_or((&raw, ""));
    // A header goes on in lines that begin with a space.
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let header = |name: &str| {
        let line = head.lines().find_map(|line| {
            let (its, value) = line.split_once(':')?;
            its.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        line.unwrap_or_default()
    };
    Letter {
        at,
        from: from.to_owned(),
        to: to.to_owned(),
        subject: words(&header("Subject")),
        message_id: header("Message-ID"),
        in_reply_to: header("In-Reply-To"),
        text: match header("Content-Transfer-Encoding").to_lowercase().as_str() {
            "quoted-printable" => text(&quoted_printable(body)),
            "base64" => text(&base64(body)),
            _ => body.to_owned(),
        },
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

fn base64(text: &str) -> Vec<u8> {
    let packed: String = text.split_whitespace().collect();
    STANDARD.decode(packed).unwrap_or_default()
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let text = text.replace("=\n", "");
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let digits: Vec<u8> = bytes.by_ref().take(2).collect();
        let code = std::str::from_utf8(&digits).ok();
        out.extend(code.and_then(|code| u8::from_str_radix(code, 16).ok()));
    }
    out
}

/// A header's words, of which some may be encoded (RFC 2047).
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("=?") {
        let word = after.split_once("?=").and_then(|(word, rest)| Some((decoded(word)?, rest)));
        let Some((word, after)) = word else { break };
        // The space between two encoded words is none.
        if !before.trim().is_empty() || out.is_empty() {
            out.push_str(before);
        }
        out.push_str(&word);
        rest = after;
    }
    out + rest
}

/// `utf-8?b?…` or `utf-8?q?…`.
fn decoded(word: &str) -> Option<String> {
    let (_, word) = word.split_once('?')?;
    let (how, word) = word.split_once('?')?;
    let bytes = match how {
        "b" | "B" => base64(word),
        _ => quoted_printable(&word.replace('_', " ")),
    };
    Some(text(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_letters_are_read() {
        let raw = "Subject: =?utf-8?b?w4Q=?= =?utf-8?q?_=C3=B6?= plain\r\nMessage-ID: <1@x>\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\nIt=E2=80=99s a =\r\nline\r\n";
        let letter = read(raw.as_bytes(), "a@x", "b@x", DateTime::UNIX_EPOCH);
        assert_eq!(letter.subject, "Ä ö plain");
        assert_eq!(letter.text, "It’s a line\n");
        assert_eq!(letter.message_id, "<1@x>");
    }
}
