//! What sort of VMO it is, in words.

use core::fmt::{self, Display, Formatter};

use arch::paging::Tables;
use arrayvec::ArrayVec;
use serde::{Serialize, Serializer};
use syscall::{CachePolicy, VmoInfoFlags, info};
use vm::vmo::{Vmo, VmoKind};

/// How many properties a VMO can have at once.
const MOST_PROPERTIES: usize = 4;

/// Where the contents of the VMO come from.
pub const fn kind(vmo: &Vmo<Tables>) -> &'static str {
    if vmo.is_slice() {
        return "slice";
    }
    if vmo.is_view() {
        return "reference";
    }
    match vmo.kind() {
        VmoKind::Physical => "physical",
        VmoKind::Contiguous => "contiguous",
        VmoKind::Anonymous if vmo.is_cow_clone() => "snapshot",
        VmoKind::Anonymous => "anonymous",
    }
}

/// What else there is to say about the VMO.
pub struct Properties(ArrayVec<&'static str, MOST_PROPERTIES>);

impl From<&info::Vmo> for Properties {
    fn from(record: &info::Vmo) -> Self {
        let flags = VmoInfoFlags::from_bits_retain(record.flags);
        let named = [
            (VmoInfoFlags::RESIZABLE, "resizable"),
            (VmoInfoFlags::DISCARDABLE, "discardable"),
            (VmoInfoFlags::IMMUTABLE, "immutable"),
        ];
        let mut words: ArrayVec<_, MOST_PROPERTIES> = named
            .into_iter()
            .filter(|(flag, _)| flags.contains(*flag))
            .map(|(_, name)| name)
            .collect();
        words.extend(cache_word(CachePolicy::from_raw(record.cache_policy)));
        Self(words)
    }
}

/// How the memory is cached, unless it is as usual.
const fn cache_word(policy: CachePolicy) -> Option<&'static str> {
    match policy {
        CachePolicy::Cached | CachePolicy::Unknown => None,
        CachePolicy::UnCached => Some("uncached"),
        CachePolicy::UnCachedDevice => Some("device"),
        CachePolicy::WriteCombining => Some("write-combining"),
    }
}

impl Display for Properties {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|word| write!(formatter, ", {word}"))
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}
