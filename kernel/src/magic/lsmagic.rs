//! `%lsmagic`: all magics.

use std::fmt::Write as _;

use async_trait::async_trait;

use super::{Call, Kind, MAGICS, Magic, Spec, describe};
use crate::display::{MimeBundle, escape};
use crate::error::Result;

/// See the module.
pub(super) struct LsMagic;

#[async_trait]
impl Magic for LsMagic {
    fn spec(&self) -> Spec {
        Spec {
            name: "lsmagic",
            kind: Kind::Line,
            about: "lists all magics",
            body: "",
            example: "%lsmagic",
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        call.context.outputs.display(list());
        Ok(())
    }
}

/// All magics with what they do.
pub(super) fn list() -> MimeBundle {
    let rows: Vec<_> = MAGICS
        .iter()
        .map(|magic| {
            (
                describe::usage(*magic),
                magic.spec().title(),
                describe::sentence(*magic),
            )
        })
        .collect();
    let width = rows
        .iter()
        .map(|(_, title, _)| title.len())
        .max()
        .unwrap_or(0);
    let mut plain = String::new();
    let mut html = String::from("<table><tbody>");
    for (usage, title, sentence) in &rows {
        let _ = writeln!(plain, "{title:width$}  {sentence}");
        let _ = write!(
            html,
            "<tr><td style=\"text-align:left\"><code>{}</code></td>\
             <td style=\"text-align:left\">{}</td></tr>",
            escape(usage),
            escape(sentence)
        );
    }
    html.push_str("</tbody></table>");
    plain.push_str("%help NAME tells more");
    MimeBundle::html(html, plain)
}
