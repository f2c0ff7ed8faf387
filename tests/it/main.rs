//! Everything a person or an outside system can see, as sentences.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod accounts;
mod accounts_import;
mod accounts_list;
mod activity;
mod activity_chain;
mod architecture;
mod bulk;
mod cli;
mod checks;
mod cloudlink;
mod config;
mod dashboard;
mod design;
mod fleet;
mod home;
mod mapping;
mod match_doctor;
mod microsoft;
mod integrations;
mod integrations_credentials;
mod integrations_setup;
mod notifications;
mod pages;
mod pool;
mod sandbox;
mod postgres;
mod schema;
mod presence_figures;
mod presence_pages;
mod presence_user;
mod releases;
mod renewal;
mod settings;
mod staff_people;
mod staff_profile;
mod staff_sign_in;
mod sync;
mod updates;
mod weight;
#[expect(dead_code, reason = "the stage is set before all the actors are on")]
mod support;
