//! As much of SMTP (RFC 5321) as it takes to be handed a letter.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{MailManners, letter};
use crate::sandbox::Controls;

const LONGEST_LINE: u64 = 8 * 1024;
const LONGEST_LETTER: usize = 1024 * 1024;

/// Takes letters until told to stop.
pub async fn serve(listener: TcpListener, controls: Controls, stop: CancellationToken) {
    let mut visitors = JoinSet::new();
    loop {
        let arrived = tokio::select! {
            () = stop.cancelled() => break,
            arrived = listener.accept() => arrived,
        };
        while visitors.try_join_next().is_some() {}
        if let Ok((stream, _)) = arrived {
            let controls = controls.clone();
            visitors.spawn(async move {
                // Whoever breaks off has handed over nothing more.
                let _ = converse(stream, &controls).await;
            });
        }
    }
    visitors.shutdown().await;
}

/// The envelope so far.
#[derive(Default)]
struct Envelope {
    from: String,
    to: Vec<String>,
}

async fn converse(stream: TcpStream, controls: &Controls) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let mut envelope = Envelope::default();
    writing.write_all(b"220 sandbox ready\r\n").await?;
    while let Some(line) = next_line(&mut reading).await? {
        let verb: String = line.chars().take_while(char::is_ascii_alphabetic).collect();
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-sandbox\r\n250-8BITMIME\r\n250 SIZE 1048576",
            "HELO" | "NOOP" => "250 2.0.0 at your service",
            "MAIL" => {
                envelope = Envelope { from: address(&line), to: Vec::new() };
                "250 2.1.0 from whom is understood"
            }
            "RCPT" => match controls.mail_manners() {
                MailManners::Takes => {
                    envelope.to.push(address(&line));
                    "250 2.1.5 they live here"
                }
                MailManners::Puts => "451 4.7.1 come back later",
                MailManners::Refuses => "550 5.1.1 nobody of that name lives here",
            },
            "DATA" if envelope.to.is_empty() => "503 5.5.1 to whom?",
            "DATA" => {
                writing.write_all(b"354 go ahead\r\n").await?;
                let Some(raw) = data(&mut reading).await? else { return Ok(()) };
                for to in &envelope.to {
                    let kept = letter::read(&raw, &envelope.from, to, controls.now());
                    controls.take_letter(kept);
                }
                envelope = Envelope::default();
                "250 2.0.0 it is in the pretend mailbox"
            }
            "RSET" => {
                envelope = Envelope::default();
                "250 2.0.0 forgotten"
            }
            "QUIT" => {
                writing.write_all(b"221 2.0.0 until next time\r\n").await?;
                return Ok(());
            }
            _ => "502 5.5.2 the sandbox does not know that",
        };
        writing.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn next_line(reading: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = reading.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
}

/// The letter, up to the dot that stands alone; none when it is broken off or too long.
async fn data(reading: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if reading.take(LONGEST_LINE).read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        if line == b".\r\n" || line == b".\n" {
            return Ok(Some(raw));
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        if raw.len() > LONGEST_LETTER {
            return Ok(None);
        }
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or("", |(address, _)| address).to_owned()
}
