//! The few HTML pieces that all displays share.
//!
//! JupyterLab's sanitiser drops `rgba()`, `var()` and flex properties from untrusted outputs, so
//! lines are eight-digit hex colours and everything else inherits from the page.

/// A hairline that shows on white and on black.
pub(super) const LINE: &str = "1px solid #80808055";

/// Text that steps back.
pub(super) const DIM: &str = "opacity:0.7";

/// Text between tags or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A frame around a panel at most `width` pixels wide; `accent` is a hex colour for its left edge.
pub(super) fn panel(accent: &str, width: u32, body: &str) -> String {
    format!(
        "<div style=\"border:{LINE};border-left:4px solid {accent};border-radius:4px;\
         padding:8px 14px;margin:2px 0;max-width:{width}px;font-size:13px;line-height:1.45\">\
         {body}</div>"
    )
}

/// A small label above a value; several of them flow side by side. Both are plain text.
pub(super) fn fact(label: &str, value: &str) -> String {
    format!(
        "<div style=\"display:inline-block;vertical-align:top;margin:5px 26px 3px 0\">\
         <div style=\"font-size:11px;{DIM}\">{}</div>\
         <div style=\"font-weight:600;white-space:nowrap\">{}</div></div>",
        escape(label),
        escape(value)
    )
}

/// A small table whose cells are HTML already; `right` says which columns are right aligned.
pub(super) fn table(headings: &[&str], right: &[bool], rows: &[Vec<String>]) -> String {
    let style = |right: bool| {
        let align = if right { "right" } else { "left" };
        format!("text-align:{align};padding:3px 9px;white-space:nowrap")
    };
    let mut html = String::from(
        "<div style=\"overflow-x:auto\"><table style=\"border-collapse:collapse;margin:0;font-size:12px\"><thead><tr>",
    );
    for (heading, right) in headings.iter().zip(right) {
        html.push_str(&format!(
            "<th style=\"{};white-space:normal;border-bottom:1px solid #808080;font-weight:600\">{heading}</th>",
            style(*right)
        ));
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for (cell, right) in row.iter().zip(right) {
            html.push_str(&format!(
                "<td style=\"{};border-bottom:{LINE}\">{cell}</td>",
                style(*right)
            ));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_data_stays_text() {
        assert_eq!(
            escape(r#"<b onclick="x('&')">"#),
            "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;"
        );
        assert!(fact("a<b", "<script>").contains("&lt;script&gt;"));
    }
}
