//! Rows as `COPY` takes them: text, a tab between two columns. What is written here is plain:
//! nothing of it needs escaping.

use std::fmt::{Display, Write};

use sqlx::PgConnection;

/// A column without a value.
pub const NULL: &str = "\\N";

/// Rows of one table, gathered.
pub struct Copy {
    /// With its columns: `accounts (id, name)`.
    table: &'static str,
    text: String,
}

impl Copy {
    pub fn into(table: &'static str) -> Self {
        Self { table, text: String::new() }
    }

    pub fn row(&mut self, columns: &[&dyn Display]) {
        for (place, column) in columns.iter().enumerate() {
            let between = if place == 0 { "" } else { "\t" };
            write!(self.text, "{between}{column}").unwrap();
        }
        self.text.push('\n');
    }

    pub async fn write(&mut self, db: &mut PgConnection) -> sqlx::Result<()> {
        let mut copy = db.copy_in_raw(&format!("COPY {} FROM STDIN", self.table)).await?;
        copy.send(std::mem::take(&mut self.text).into_bytes()).await?;
        copy.finish().await?;
        Ok(())
    }
}

pub fn or_null(value: Option<impl Display>) -> String {
    value.map_or_else(|| NULL.to_owned(), |value| value.to_string())
}
