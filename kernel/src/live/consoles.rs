//! What console sinks print: one display per query, under the cell that started it, with its newest
//! batches.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::display::{self, MimeBundle};

/// How many batches a display keeps.
const BATCHES: usize = 20;

/// How much text a display keeps; the newest batch is always whole.
const BYTES: usize = 64 * 1024;

/// The consoles of all queries, by the query's name.
#[derive(Debug, Default)]
pub(super) struct Consoles {
    all: Mutex<HashMap<String, Console>>,
}

#[derive(Debug)]
struct Console {
    display_id: String,
    /// Whether its cell shows it already.
    shown: bool,
    batches: VecDeque<String>,
    earlier: usize,
}

impl Consoles {
    /// A query of this name is about to start; what an earlier one printed is forgotten.
    pub(super) fn open(&self, query: &str) {
        let console = Console {
            display_id: Uuid::new_v4().to_string(),
            shown: false,
            batches: VecDeque::new(),
            earlier: 0,
        };
        self.all.lock().insert(query.to_owned(), console);
    }

    /// The query did not start.
    pub(super) fn close(&self, query: &str) {
        self.all.lock().remove(query);
    }

    /// Its display, to be shown in the cell that runs.
    pub(super) fn show(&self, query: &str) -> Option<(String, MimeBundle)> {
        let mut all = self.all.lock();
        let console = all.get_mut(query)?;
        console.shown = true;
        Some((console.display_id.clone(), console.bundle()))
    }

    /// A query has printed a batch. Gives an update of its display, if it is shown; the text back, if
    /// there is no such query here.
    pub(super) fn print(
        &self,
        query: &str,
        text: String,
    ) -> Result<Option<(String, MimeBundle)>, String> {
        let mut all = self.all.lock();
        let Some(console) = all.get_mut(query) else {
            return Err(text);
        };
        console.add(text);
        let update = console
            .shown
            .then(|| (console.display_id.clone(), console.bundle()));
        Ok(update)
    }
}

impl Console {
    fn add(&mut self, text: String) {
        self.batches.push_back(text);
        let bytes = |batches: &VecDeque<String>| batches.iter().map(String::len).sum::<usize>();
        while self.batches.len() > BATCHES
            || (self.batches.len() > 1 && bytes(&self.batches) > BYTES)
        {
            self.batches.pop_front();
            self.earlier += 1;
        }
    }

    fn bundle(&self) -> MimeBundle {
        let texts: Vec<&str> = self.batches.iter().map(String::as_str).collect();
        display::console(&texts.concat(), self.earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bundle: &MimeBundle) -> String {
        bundle.data["text/plain"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_newest_batches_stand_in_one_display() {
        let consoles = Consoles::default();
        assert_eq!(
            consoles.print("q", "lost".to_owned()),
            Err("lost".to_owned())
        );
        consoles.open("q");
        assert_eq!(consoles.print("q", "batch 0\n".to_owned()), Ok(None));
        let (id, shown) = consoles.show("q").unwrap();
        assert_eq!(plain(&shown), "batch 0\n");
        for batch in 1..30 {
            let update = consoles.print("q", format!("batch {batch}\n")).unwrap();
            let (other, shown) = update.unwrap();
            assert_eq!(other, id);
            assert!(plain(&shown).ends_with(&format!("batch {batch}\n")));
        }
        let (_, shown) = consoles.show("q").unwrap();
        assert!(
            plain(&shown).starts_with("10 earlier batches\nbatch 10\n"),
            "{}",
            plain(&shown)
        );
        consoles.open("q");
        assert_eq!(plain(&consoles.show("q").unwrap().1), "no batch yet\n");
    }
}
