//! Typefaces of this machine, for the characters that ours has not: those of Chinese above all.

use std::collections::HashSet;
use std::sync::LazyLock;

use ab_glyph::{Font, FontArc, FontRef, FontVec};
use fontdb::{Database, FaceInfo, ID, Style};
use parking_lot::Mutex;

/// Looked through when the first character asks for it.
static FACES: LazyLock<Faces> = LazyLock::new(Faces::of_this_machine);

/// A typeface that has the character, if there is one.
pub(super) fn with(c: char) -> Option<FontArc> {
    FACES.with(c)
}

struct Faces {
    database: Database,
    /// The best ones first.
    order: Vec<ID>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// What was needed so far, in memory.
    fonts: Vec<FontArc>,
    /// Characters that no typeface has.
    missing: HashSet<char>,
}

impl Faces {
    fn of_this_machine() -> Self {
        let mut database = Database::new();
        database.load_system_fonts();
        let mut faces: Vec<&FaceInfo> = database
            .faces()
            .filter(|face| face.style == Style::Normal)
            .collect();
        faces.sort_by_cached_key(|face| rank(face));
        let order = faces.into_iter().map(|face| face.id).collect();
        Self {
            database,
            order,
            found: Mutex::default(),
        }
    }

    fn with(&self, c: char) -> Option<FontArc> {
        let mut found = self.found.lock();
        let known = found.fonts.iter().find(|font| has(*font, c));
        if let Some(font) = known {
            return Some(font.clone());
        }
        if found.missing.contains(&c) {
            return None;
        }
        let font = self.order.iter().find_map(|id| self.load(*id, c));
        match &font {
            Some(font) => found.fonts.push(font.clone()),
            None => {
                found.missing.insert(c);
            }
        }
        font
    }

    /// The typeface, if it has the character.
    fn load(&self, id: ID, c: char) -> Option<FontArc> {
        let read = |data: &[u8], index| {
            let face = FontRef::try_from_slice_and_index(data, index).ok()?;
            if !has(&face, c) {
                return None;
            }
            FontVec::try_from_vec_and_index(data.to_vec(), index).ok()
        };
        self.database
            .with_face_data(id, read)
            .flatten()
            .map(FontArc::new)
    }
}

fn has(font: &impl Font, c: char) -> bool {
    font.glyph_id(c).0 != 0
}

/// Less is better: of normal weight, without serifs, as Taiwan writes the characters that differ.
fn rank(face: &FaceInfo) -> (bool, u16, bool, bool, String) {
    let name = face
        .families
        .first()
        .map_or_else(String::new, |(name, _)| name.clone());
    let is_serif = ["Serif", "Ming", "Song"]
        .iter()
        .any(|word| name.contains(word));
    (
        face.monospaced,
        face.weight.0.abs_diff(400),
        is_serif,
        !name.ends_with(" TC"),
        name,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typeface_that_is_found_has_the_character() {
        for c in ['視', '窗', 'a', '\u{10FFFE}'] {
            if let Some(font) = with(c) {
                assert!(has(&font, c), "{c}");
            }
        }
        assert!(with('\u{10FFFE}').is_none());
    }
}
