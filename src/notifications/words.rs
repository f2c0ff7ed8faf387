//! One message in the form each kind of channel takes.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Kind;
use super::message::{About, Message, Severity};

/// More would only be scrolled past: the portal lists them all.
const NAMED: usize = 20;

/// The text of a mail.
pub fn letter(message: &Message, channel: &str, managed_at: &str) -> String {
    let mut text = format!("{}\n\n{}\n", message.headline(), message.advice);
    for one in message.accounts.iter().take(NAMED) {
        let _ = write!(text, "\n{}\n", one.name);
        for line in lines(one) {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text, "  {}", one.url);
    }
    if let Some(more) = more(message) {
        let _ = write!(text, "\n{more}: {}\n", message.portal);
    }
    let _ = write!(
        text,
        "\n-- \nSent by presence-portal to the channel {channel}, which is managed at\n{managed_at}\n",
    );
    text
}

/// The body of a webhook.
pub fn body(kind: Kind, message: &Message) -> anyhow::Result<Vec<u8>> {
    Ok(match kind {
        Kind::Slack => serde_json::to_vec(&json!({ "text": slack(message) }))?,
        Kind::Teams => serde_json::to_vec(&card(message))?,
        Kind::Webhook | Kind::Mail => serde_json::to_vec(message)?,
    })
}

/// In Slack’s own mark-up.
fn slack(message: &Message) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let sign = match message.severity {
        Severity::Critical => ":red_circle:",
        Severity::Warning => ":large_yellow_circle:",
        Severity::Resolved => ":large_green_circle:",
        Severity::Info => ":information_source:",
    };
    let mut text = format!("{sign} *{}*\n{}", escape(&message.headline()), escape(&message.advice));
    for one in message.accounts.iter().take(NAMED) {
        // A bar would end the link’s address early.
        let name = escape(&one.name).replace('|', "¦");
        let _ = write!(text, "\n• <{}|{name}>", one.url);
        for line in lines(one) {
            let _ = write!(text, " – {}", escape(&line));
        }
    }
    if let Some(more) = more(message) {
        let _ = write!(text, "\n<{}|{more}>", message.portal);
    }
    text
}

/// An adaptive card in the envelope that a Teams workflow takes.
fn card(message: &Message) -> Value {
    let (colour, style) = match message.severity {
        Severity::Critical => ("Attention", "attention"),
        Severity::Warning => ("Warning", "warning"),
        Severity::Resolved => ("Good", "good"),
        Severity::Info => ("Accent", "accent"),
    };
    let block = |text: &str| json!({ "type": "TextBlock", "text": plain(text), "wrap": true });
    let mut content = vec![
        json!({
            "type": "Container", "style": style, "bleed": true,
            "items": [{ "type": "TextBlock", "text": plain(&message.headline()), "wrap": true,
                "size": "Medium", "weight": "Bolder", "color": colour }],
        }),
        block(&message.advice),
    ];
    let facts: Vec<_> = message
        .accounts
        .iter()
        .take(NAMED)
        .map(|one| {
            let link = format!("[{}]({})", plain("See it"), one.url);
            let said: Vec<_> = lines(one).iter().map(|line| plain(line)).chain([link]).collect();
            json!({ "title": plain(&one.name), "value": said.join(" · ") })
        })
        .collect();
    if !facts.is_empty() {
        content.push(json!({ "type": "FactSet", "facts": facts }));
    }
    if let Some(more) = more(message) {
        content.push(block(&more));
    }
    let open = message.accounts.first().filter(|_| message.accounts.len() == 1);
    let open = open.map_or(message.portal.as_str(), |one| one.url.as_str());
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": content,
                "actions": [
                    { "type": "Action.OpenUrl", "title": "Open presence-portal", "url": open },
                ],
            },
        }],
    })
}

/// A card understands a little Markdown: a name is not to become any.
fn plain(text: &str) -> String {
    text.chars().fold(String::new(), |mut text, c| {
        if "\\*_[]()`#~".contains(c) {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

fn lines(one: &About) -> Vec<String> {
    let since = one.since.map(|since| format!("since {}", moment(since)));
    Some(one.detail.clone()).filter(|detail| !detail.is_empty()).into_iter().chain(since).collect()
}

fn more(message: &Message) -> Option<String> {
    let unnamed = message.accounts.len().saturating_sub(NAMED);
    (unnamed > 0).then(|| format!("and {unnamed} more"))
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, MessageId};
    use crate::notifications::message::Event;

    fn message(names: &[&str]) -> Message {
        let about = |name: &&str| About {
            account: AccountId::new(),
            name: (*name).to_owned(),
            problem: "microsoft".to_owned(),
            cause: "secret-expired".to_owned(),
            detail: "AADSTS7000222".to_owned(),
            since: "2026-03-02T08:00:00Z".parse().ok(),
            url: "https://portal.example/accounts/1".to_owned(),
        };
        Message {
            id: MessageId::new(),
            event: Event::Opened,
            at: DateTime::UNIX_EPOCH,
            severity: Severity::Critical,
            title: "The client secret has expired".to_owned(),
            advice: "Create a new one.".to_owned(),
            portal: "https://portal.example/".to_owned(),
            accounts: names.iter().map(about).collect(),
        }
    }

    #[test]
    fn a_mail_says_what_where_since_when_and_what_to_do() {
        let text = letter(&message(&["Acme"]), "Ops", "https://portal.example/settings");
        let expected = "The client secret has expired\n\nCreate a new one.\n\nAcme\n  \
            AADSTS7000222\n  since 2 Mar 2026, 08:00 UTC\n  https://portal.example/accounts/1\n";
        assert!(text.starts_with(expected), "{text}");
        let many: Vec<_> = (0..23).map(|_| "Acme").collect();
        assert!(letter(&message(&many), "Ops", "").contains("and 3 more: https://portal"));
    }

    #[test]
    fn a_name_is_no_mark_up_wherever_it_is_shown() {
        let odd = message(&["<!channel> | *Acme* [x](y)"]);
        let text = slack(&odd);
        assert!(text.contains("&lt;!channel&gt; ¦ *Acme*"), "{text}");
        let shown = card(&odd).to_string();
        assert!(shown.contains(r"\\*Acme\\* \\[x\\]\\(y\\)"), "{shown}");
    }

    #[test]
    fn what_a_webhook_gets_has_the_promised_fields() {
        let body = body(Kind::Webhook, &message(&["Acme"])).unwrap();
        let said: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(said["event"], "problem.opened");
        assert_eq!(said["severity"], "critical");
        assert_eq!(said["accounts"][0]["cause"], "secret-expired");
        assert_eq!(said["accounts"][0]["since"], "2026-03-02T08:00:00Z");
    }
}
