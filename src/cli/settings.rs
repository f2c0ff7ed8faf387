//! Every setting, as the environment and the command line name it.

use std::collections::HashMap;

use clap::error::Error;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

struct Setting {
    name: &'static str,
    flag: &'static str,
    value: &'static str,
    help: &'static str,
}

const fn setting(
    name: &'static str,
    flag: &'static str,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting { name, flag, value, help }
}

/// In the order in which the help tells of them.
const ALL: &[Setting] = &[
    setting(
        "PORTAL_LISTEN",
        "listen",
        "ADDRESS",
        "Where browsers and CloudLink connect [default: 127.0.0.1:8080]",
    ),
    setting(
        "PORTAL_PUBLIC_URL",
        "public-url",
        "URL",
        "How they reach us from outside [default: http://{listen}]",
    ),
    setting(
        "DATABASE_URL",
        "database-url",
        "URL",
        "A Postgres of your own, 14 or newer [default: a private one in the data directory]",
    ),
    setting(
        "PORTAL_DATABASE_LISTEN_URL",
        "database-listen-url",
        "URL",
        "The same database without the pooler that DATABASE_URL leads through, for the one \
         connection that listens for notifications [default: DATABASE_URL]",
    ),
    setting(
        "PORTAL_DATA_DIR",
        "data-dir",
        "DIR",
        "The private database and the key made for it [default: ./data; for root, where the \
         account that runs Postgres cannot reach that, a directory below \
         /var/lib/presence-portal]",
    ),
    setting(
        "PORTAL_MASTER_KEY",
        "master-key",
        "BASE64",
        "32 bytes that seal every secret in the database; keep them apart from its backups \
         [default: made in the data directory with the private database]",
    ),
    setting("PORTAL_MASTER_KEY_FILE", "master-key-file", "FILE", "The same, in a file"),
    setting(
        "PORTAL_NEW_MASTER_KEY",
        "new-master-key",
        "BASE64",
        "The key that rekey seals with from now on",
    ),
    setting("PORTAL_NEW_MASTER_KEY_FILE", "new-master-key-file", "FILE", "The same, in a file"),
    setting(
        "PORTAL_CLOUDLINK_URL",
        "cloudlink-url",
        "TEMPLATE",
        "CloudLink, with {service} in it [default: https://{service}.api.mitel.io/2017-09-01]",
    ),
    setting(
        "PORTAL_CLOUDLINK_CLIENT_ID",
        "cloudlink-client-id",
        "ID",
        "The partner's CloudLink client; it needs the two settings below, too",
    ),
    setting("PORTAL_CLOUDLINK_CLIENT_SECRET", "cloudlink-client-secret", "SECRET", "Its secret"),
    setting(
        "PORTAL_CLOUDLINK_CLIENT_SECRET_FILE",
        "cloudlink-client-secret-file",
        "FILE",
        "The same, in a file",
    ),
    setting(
        "PORTAL_CLOUDLINK_PARTNER_ACCOUNT",
        "cloudlink-partner-account",
        "ID",
        "The partner's own CloudLink account",
    ),
    setting(
        "PORTAL_MICROSOFT_LOGIN_URL",
        "microsoft-login-url",
        "URL",
        "In place of every cloud's login host, for tests",
    ),
    setting(
        "PORTAL_MICROSOFT_GRAPH_URL",
        "microsoft-graph-url",
        "URL",
        "In place of every cloud's Graph host, for tests",
    ),
    setting(
        "PORTAL_GRAPH_REQUESTS_PER_SECOND",
        "graph-requests-per-second",
        "NUMBER",
        "Presence requests to one tenant [default: 50]",
    ),
    setting(
        "PORTAL_SMTP_URL",
        "smtp-url",
        "URL",
        "Where mail is handed over: smtps://user:password@mail.example for TLS, smtp:// for \
         STARTTLS, smtp://…?tls=none for neither [default: no mail is sent]",
    ),
    setting("PORTAL_SMTP_URL_FILE", "smtp-url-file", "FILE", "The same, in a file"),
    setting(
        "PORTAL_SMTP_FROM",
        "smtp-from",
        "ADDRESS",
        "Whom mail comes from, such as Presence portal <portal@partner.example>",
    ),
    setting(
        "PORTAL_WEBHOOK_HOSTS",
        "webhook-hosts",
        "HOSTS",
        "Hosts of your own network that webhooks may go to, with commas between them, such as \
         chat.internal:8443 [default: none, only https to public addresses]",
    ),
    setting(
        "PORTAL_METRICS_LISTEN",
        "metrics-listen",
        "ADDRESS",
        "Where /metrics is served, apart from the pages [default: nowhere]",
    ),
    setting(
        "PORTAL_SANDBOX_LISTEN",
        "sandbox-listen",
        "ADDRESS",
        "Where demo and sandbox serve the pretend systems [default: 127.0.0.1:8090]",
    ),
    setting(
        "PORTAL_LOG",
        "log",
        "FILTER",
        "What is logged, such as warn,presence_portal=debug [default: info]",
    ),
];

/// What was set, on the command line or else in the environment.
#[derive(Clone, Default)]
pub struct Settings(HashMap<&'static str, String>);

/// Their names alone: some are secrets.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = ALL.iter().filter_map(|setting| {
            Some((setting.name, matches.get_one::<String>(setting.name)?.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        ALL.iter().fold(command, |command, setting| {
            command.arg(
                Arg::new(setting.name)
                    .long(setting.flag)
                    .env(setting.name)
                    .hide_env_values(true)
                    .value_name(setting.value)
                    .help(setting.help)
                    .help_heading("Settings")
                    .global(true),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::config::Config;

    #[test]
    fn every_setting_that_is_read_is_also_a_flag_and_the_other_way_round() {
        let read = RefCell::new(Vec::new());
        let _ = Config::read(|name| {
            read.borrow_mut().push(name.to_owned());
            None
        });
        let mut read = read.into_inner();
        read.sort();
        read.dedup();
        let mut flags: Vec<_> = ALL.iter().map(|setting| setting.name.to_owned()).collect();
        flags.sort();
        assert_eq!(read, flags);
    }
}
