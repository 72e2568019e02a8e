//! The shape of a type in words, found by having it read from nothing: what a state variable holds, so
//! that a query does not go on with one of another type.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, U32Deserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// Types in types are told so deep; a type can be part of itself.
const DEPTH: usize = 8;

/// For example `{clicks: i64, pages: [String]}`. The same text for the same type in every cell,
/// whatever the type's name.
pub(super) fn shape_of<T: DeserializeOwned>() -> String {
    let mut text = String::new();
    // What cannot be read from nothing has told its beginning, which is as much as can be known.
    let _ = T::deserialize(Tracer {
        text: &mut text,
        depth: DEPTH,
    });
    text
}

struct Tracer<'a> {
    text: &'a mut String,
    depth: usize,
}

#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is told no further")
    }
}

impl std::error::Error for Stopped {}

impl de::Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Tracer<'_> {
    fn tell(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn inner(&mut self) -> Result<Tracer<'_>, Stopped> {
        Ok(Tracer {
            depth: self.depth.checked_sub(1).ok_or(Stopped)?,
            text: self.text,
        })
    }

    /// A value inside, between `open` and `close`.
    fn wrap<T>(
        &mut self,
        open: &str,
        close: &str,
        read: impl FnOnce(Tracer<'_>) -> Result<T, Stopped>,
    ) -> Result<T, Stopped> {
        self.tell(open);
        let value = read(self.inner()?)?;
        self.tell(close);
        Ok(value)
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $value:expr, $name:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stopped> {
            self.tell($name);
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stopped;

    scalars! {
        deserialize_any visit_i64 0, "any";
        deserialize_bool visit_bool false, "bool";
        deserialize_i8 visit_i8 0, "i8";
        deserialize_i16 visit_i16 0, "i16";
        deserialize_i32 visit_i32 0, "i32";
        deserialize_i64 visit_i64 0, "i64";
        deserialize_u8 visit_u8 0, "u8";
        deserialize_u16 visit_u16 0, "u16";
        deserialize_u32 visit_u32 0, "u32";
        deserialize_u64 visit_u64 0, "u64";
        deserialize_f32 visit_f32 0.0, "f32";
        deserialize_f64 visit_f64 0.0, "f64";
        deserialize_char visit_char 'a', "char";
        deserialize_str visit_borrowed_str "", "String";
        deserialize_string visit_borrowed_str "", "String";
        deserialize_bytes visit_borrowed_bytes &[], "bytes";
        deserialize_byte_buf visit_borrowed_bytes &[], "bytes";
        deserialize_identifier visit_borrowed_str "", "name";
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stopped> {
        self.tell("()");
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stopped> {
        self.wrap("", "?", |inner| visitor.visit_some(inner))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stopped> {
        self.wrap("[", "]", |inner| visitor.visit_seq(Items::new(inner, 1)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.wrap("(", ")", |inner| visitor.visit_seq(Items::new(inner, len)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stopped> {
        self.wrap("[", "]", |inner| visitor.visit_map(Items::new(inner, 1)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.wrap("{", "}", |tracer| {
            visitor.visit_map(Fields {
                tracer,
                fields: fields.iter(),
                is_first: true,
            })
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.tell(&variants.join("|"));
        visitor.visit_enum(FirstVariant(self.inner()?))
    }
}

/// So many items, or one entry of a map.
struct Items<'a> {
    tracer: Tracer<'a>,
    left: usize,
    is_first: bool,
}

impl<'a> Items<'a> {
    fn new(tracer: Tracer<'a>, left: usize) -> Self {
        Self {
            tracer,
            left,
            is_first: true,
        }
    }

    fn item<'de, S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
        between: &str,
    ) -> Result<Option<S::Value>, Stopped> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        if !std::mem::take(&mut self.is_first) {
            self.tracer.tell(between);
        }
        seed.deserialize(self.tracer.inner()?).map(Some)
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Stopped;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stopped> {
        self.item(seed, ", ")
    }
}

impl<'de> MapAccess<'de> for Items<'_> {
    type Error = Stopped;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stopped> {
        self.item(seed, ", ")
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stopped> {
        self.tracer.tell(": ");
        seed.deserialize(self.tracer.inner()?)
    }
}

struct Fields<'a> {
    tracer: Tracer<'a>,
    fields: std::slice::Iter<'static, &'static str>,
    is_first: bool,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stopped;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stopped> {
        let Some(field) = self.fields.next() else {
            return Ok(None);
        };
        let between = match std::mem::take(&mut self.is_first) {
            true => "",
            false => ", ",
        };
        self.tracer.tell(&format!("{between}{field}: "));
        seed.deserialize(BorrowedStrDeserializer::new(field))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stopped> {
        seed.deserialize(self.tracer.inner()?)
    }
}

/// The first variant of an enum; what the others hold is not told.
struct FirstVariant<'a>(Tracer<'a>);

impl<'de, 'a> EnumAccess<'de> for FirstVariant<'a> {
    type Error = Stopped;
    type Variant = Tracer<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Stopped> {
        let first = U32Deserializer::new(0);
        Ok((seed.deserialize(first)?, self.0))
    }
}

impl<'de> VariantAccess<'de> for Tracer<'_> {
    type Error = Stopped;

    fn unit_variant(self) -> Result<(), Stopped> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stopped> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stopped> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::shape_of;
    use crate::timestamp::Timestamp;

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Visit {
        clicks: i64,
        last: Option<Timestamp>,
        pages: Vec<String>,
        kind: Kind,
        next: Option<Box<Visit>>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Kind {
        Short,
        Long(i32),
    }

    #[test]
    fn shapes_are_told_in_words() {
        assert_eq!(shape_of::<i64>(), "i64");
        assert_eq!(shape_of::<(String, f64)>(), "(String, f64)");
        assert_eq!(
            shape_of::<BTreeMap<String, Vec<bool>>>(),
            "[String: [bool]]"
        );
        let visit = shape_of::<Visit>();
        let begins = "{clicks: i64, last: any?, pages: [String], kind: Short|Long, next: {clicks";
        assert!(visit.starts_with(begins), "{visit}");
    }
}
