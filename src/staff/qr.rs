//! A QR code as one path of an SVG.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

/// Scanners want so much white around it.
const MARGIN: usize = 4;

/// For `<svg viewBox="0 0 {size} {size}"><path d="{path}">`.
#[derive(Clone, Debug)]
pub(super) struct Qr {
    pub size: usize,
    pub path: String,
}

impl Qr {
    pub(super) fn of(text: &str) -> anyhow::Result<Self> {
        let code = QrCode::new(text)?;
        let width = code.width();
        let colors = code.into_colors();
        let mut path = String::new();
        for (y, row) in colors.chunks(width).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
                write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN)?;
            }
        }
        Ok(Self { size: width + 2 * MARGIN, path })
    }
}
