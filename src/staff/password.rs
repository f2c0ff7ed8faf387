//! What a password must be, and nothing else demanded.

use crate::kit::email::Email;
use crate::kit::secret::Secret;

const FEWEST: usize = 12;
const MOST: usize = 200;

/// What stands beside the field.
pub const RULE: &str = "At least 12 characters. A few words are easier to remember than symbols.";

/// Those that are tried first, of twelve characters and more. Compared without case.
const COMMONEST: &[&str] = &[
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789123",
    "123123123123",
    "111111111111",
    "000000000000",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "qwertyuiop123",
    "qwertyuiop12",
    "qwertyuiop[]",
    "qwerty123456",
    "qwertyqwerty",
    "asdfghjkl123",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcd12345678",
    "abc123456789",
    "aaaaaaaaaaaa",
    "password1234",
    "password12345",
    "password123456",
    "password123!",
    "passwordpassword",
    "passw0rd1234",
    "p@ssw0rd1234",
    "p@ssword1234",
    "iloveyou1234",
    "iloveyouiloveyou",
    "letmeinletmein",
    "letmein12345",
    "welcome12345",
    "welcome123456",
    "welcomewelcome",
    "administrator",
    "administrator1",
    "admin1234567",
    "admin12345678",
    "adminadminadmin",
    "changeme1234",
    "changemechangeme",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "sunshine1234",
    "football1234",
    "baseball1234",
    "trustno1trustno1",
    "microsoft123",
    "microsoftteams",
    "mitelmitelmitel",
    "mitel1234567",
    "presence-portal",
    "presenceportal",
    "unbelievable",
    "thequickbrownfox",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("Enter a password.")]
    Empty,
    #[error("That is too short: a password has at least 12 characters.")]
    TooShort,
    #[error("That is too long: a password has at most 200 characters.")]
    TooLong,
    #[error("Choose a password that is not the e-mail address.")]
    IsTheEmail,
    #[error("That password is one of the first that are tried. Choose another.")]
    Common,
}

/// A password somebody chooses, found fit.
#[derive(Clone, Debug)]
pub struct NewPassword(Secret);

impl NewPassword {
    pub fn parse(text: &Secret, email: &Email) -> Result<Self, Unfit> {
        let typed = text.reveal();
        let length = typed.chars().count();
        let lower = typed.to_lowercase();
        let mut characters = lower.chars();
        let first = characters.next();
        if typed.is_empty() {
            Err(Unfit::Empty)
        } else if length < FEWEST {
            Err(Unfit::TooShort)
        } else if length > MOST {
            Err(Unfit::TooLong)
        } else if lower.trim() == email.folded() {
            Err(Unfit::IsTheEmail)
        } else if COMMONEST.contains(&lower.as_str()) || characters.all(|c| Some(c) == first) {
            Err(Unfit::Common)
        } else {
            Ok(Self(text.clone()))
        }
    }

    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_password_is_enough_and_nothing_else_is_demanded() {
        let email = Email::parse("ann.archer@partner.example").unwrap();
        let parse = |text: &str| NewPassword::parse(&Secret::new(text), &email).map(|_| ());
        assert_eq!(parse("sing to the kettle"), Ok(()));
        assert_eq!(parse("αβγδεζηθικλμ"), Ok(()));
        assert_eq!(parse(&"long ".repeat(40)), Ok(()));
        assert_eq!(parse(""), Err(Unfit::Empty));
        assert_eq!(parse("elevenchars"), Err(Unfit::TooShort));
        assert_eq!(parse(&"x1".repeat(101)), Err(Unfit::TooLong));
        assert_eq!(parse("Ann.Archer@Partner.Example"), Err(Unfit::IsTheEmail));
        assert_eq!(parse("Password1234"), Err(Unfit::Common));
        assert_eq!(parse("zzzzzzzzzzzzzzzz"), Err(Unfit::Common));
    }
}
