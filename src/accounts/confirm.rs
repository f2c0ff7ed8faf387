//! The dialog that asks for a word to be typed, for what cannot be undone by a click.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::TheAccountToChange;
use crate::web::{self, AccountTab, Chrome, FieldErrors, Partial, refused_in, whole_or_part};

/// What is asked, and what it leads to.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// To be typed, the last part of the address, and in capitals on the button.
    pub word: &'static str,
    pub button: &'static str,
    /// What will happen, a sentence each.
    pub consequences: &'static [&'static str],
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub word: String,
}

#[derive(Template)]
#[template(path = "accounts/confirm.html", blocks = ["dialog"])]
struct ConfirmPage {
    chrome: Chrome,
    question: Question,
    action: String,
    back: String,
    typed: Typed,
    errors: FieldErrors,
}

impl Question {
    /// Whether the word was typed, whatever its case.
    pub fn is_answered(self, typed: &Typed) -> bool {
        typed.word.trim().eq_ignore_ascii_case(self.word)
    }

    pub fn ask(self, the: &TheAccountToChange, partial: Partial) -> Response {
        let page = self.page(the, Typed::default(), FieldErrors::default());
        whole_or_part(partial, &page, page.as_dialog())
    }

    /// Asks again, because another word was typed.
    pub fn ask_again(self, the: &TheAccountToChange, partial: Partial, typed: Typed) -> Response {
        let complaint = format!("Type the word {} to go on.", self.word);
        let page = self.page(the, typed, FieldErrors::just("word", complaint));
        refused_in(partial, &page, page.as_dialog())
    }

    fn page(self, the: &TheAccountToChange, typed: Typed, errors: FieldErrors) -> ConfirmPage {
        let back = format!("/accounts/{}", the.account.id);
        ConfirmPage {
            chrome: the
                .chrome(format!("{} {}?", self.button, the.account.name), AccountTab::Information),
            question: self,
            action: format!("{back}/{}", self.word),
            back,
            typed,
            errors,
        }
    }
}

/// Only a partner admin ends or begins an account; its own admins may look.
pub fn partner_only(the: &TheAccountToChange) -> web::Result<()> {
    if the.viewer.is_partner() { Ok(()) } else { Err(web::Error::Forbidden) }
}
