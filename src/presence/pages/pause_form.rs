//! A pause and working hours, as typed and as meant.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::Deserialize;

use super::pausing::name;
use crate::presence::plan::pause::{Hours, Pause, Week};
use crate::web::FieldErrors;

/// A month: whoever wants it off for longer switches it off.
const LONGEST_HOURS: i64 = 31 * 24;

/// For how many hours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PauseForm {
    pub hours: String,
}

impl PauseForm {
    pub fn parse(&self) -> Result<TimeDelta, FieldErrors> {
        match self.hours.trim().parse::<i64>() {
            Ok(hours @ 1..=LONGEST_HOURS) => Ok(TimeDelta::hours(hours)),
            _ => Err(FieldErrors::just("hours", "Enter a whole number of hours, from 1 to 744.")),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct HoursForm {
    pub zone: String,
    pub day: Vec<String>,
    pub from: String,
    pub to: String,
}

impl Default for HoursForm {
    fn default() -> Self {
        Self { zone: String::new(), day: Vec::new(), from: "08:00".into(), to: "18:00".into() }
    }
}

impl HoursForm {
    /// As kept; else an office's week in the time zone of the country, if it has one only.
    pub fn of(pause: Pause, country: &str) -> Self {
        let Some(hours) = pause.hours else {
            let day = Week::DAYS.into_iter().take(5).map(|day| name(day).to_owned()).collect();
            return Self { zone: zone_of(country).to_owned(), day, ..Self::default() };
        };
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let days = Week::DAYS.into_iter().filter(|day| hours.days.has(*day));
        Self {
            zone: hours.zone.name().to_owned(),
            day: days.map(|day| name(day).to_owned()).collect(),
            from: clock(hours.from),
            to: clock(hours.to),
        }
    }

    /// Every day, and whether it is chosen.
    pub fn week(&self) -> Vec<(&'static str, bool)> {
        let days = Week::DAYS.into_iter().map(name);
        days.map(|day| (day, self.day.iter().any(|chosen| chosen == day))).collect()
    }

    pub fn parse(&self) -> Result<Hours, FieldErrors> {
        let mut errors = FieldErrors::default();
        let zone = errors.take("zone", zone(&self.zone));
        let from = errors.take("from", minute(&self.from));
        let to = errors.take("to", minute(&self.to));
        let chosen = Week::DAYS.into_iter().filter(|day| self.day.iter().any(|d| d == name(*day)));
        let days = chosen.fold(Week::default(), Week::with);
        if days.is_empty() {
            errors.add("day", "Choose at least one day.");
        }
        match (zone, from, to) {
            (Some(zone), Some(from), Some(to)) if errors.is_empty() => {
                Ok(Hours { zone, days, from, to })
            }
            _ => Err(errors),
        }
    }
}

fn zone(text: &str) -> Result<Tz, &'static str> {
    let known = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text.trim()));
    known.copied().ok_or("Enter a time zone, such as Europe/London or America/New_York.")
}

fn minute(text: &str) -> Result<u16, &'static str> {
    let text = text.trim();
    let time = NaiveTime::parse_from_str(text, "%H:%M")
        .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"));
    let minute =
        time.ok().and_then(|time| u16::try_from(time.num_seconds_from_midnight() / 60).ok());
    minute.ok_or("Enter a time of day, such as 08:30.")
}

/// The zone of a country that has one only; UTC for the others.
fn zone_of(country: &str) -> &'static str {
    match country {
        "Austria" => "Europe/Vienna",
        "Belgium" => "Europe/Brussels",
        "Czechia" => "Europe/Prague",
        "Denmark" => "Europe/Copenhagen",
        "Finland" => "Europe/Helsinki",
        "France" => "Europe/Paris",
        "Germany" => "Europe/Berlin",
        "Greece" => "Europe/Athens",
        "Ireland" => "Europe/Dublin",
        "Italy" => "Europe/Rome",
        "Netherlands" => "Europe/Amsterdam",
        "Norway" => "Europe/Oslo",
        "Poland" => "Europe/Warsaw",
        "Sweden" => "Europe/Stockholm",
        "Switzerland" => "Europe/Zurich",
        "United Kingdom" => "Europe/London",
        _ => "UTC",
    }
}

/// Zones to choose from while typing; any other that exists is taken, too.
pub const ZONES: [&str; 24] = [
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Toronto",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Amsterdam",
    "Europe/Athens",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Zurich",
    "Pacific/Auckland",
    "UTC",
];

/// In how many hours, for the message that says so.
pub fn said(pause: TimeDelta, now: DateTime<Utc>) -> (DateTime<Utc>, String) {
    let hours = pause.num_hours();
    let words = if hours == 1 { "one hour".to_owned() } else { format!("{hours} hours") };
    (now + pause, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_come_back_as_they_were_typed() {
        let form = HoursForm::of(Pause::default(), "Germany");
        let hours = form.parse().unwrap();
        assert_eq!(hours.zone.name(), "Europe/Berlin");
        assert_eq!((hours.from, hours.to, hours.days.bits()), (480, 1080, 31));
        let again = HoursForm::of(Pause { until: None, hours: Some(hours) }, "");
        assert_eq!(again.parse().unwrap(), hours);
    }

    #[test]
    fn what_makes_no_sense_is_refused_field_by_field() {
        let form = HoursForm {
            zone: "Middle/Earth".into(),
            day: vec!["Caturday".into()],
            from: "8 o’clock".into(),
            to: "24:00".into(),
        };
        let errors = form.parse().unwrap_err();
        assert!(["zone", "day", "from", "to"].iter().all(|field| errors.of(field).is_some()));
        for hours in ["", "0", "745", "1.5", "-3"] {
            assert!(PauseForm { hours: hours.into() }.parse().is_err(), "{hours}");
        }
    }

    #[test]
    fn every_zone_that_is_offered_exists() {
        assert!(ZONES.iter().all(|name| zone(name).is_ok()));
        assert_eq!(zone(" europe/berlin ").unwrap().name(), "Europe/Berlin");
    }
}
