//! What the machine can do.

use syscall::{AddressTaggingFeatureFlags, CpuFeatureFlags, FeatureKind, VmFeatureFlags};

use crate::{Status, ok, sys};

mod private {
    pub trait Sealed {}
}

/// A set of features of one kind. The kernel defines what there is, so nobody else implements it.
pub trait FeatureFlags: private::Sealed + Sized {
    /// Which kind.
    #[doc(hidden)]
    const KIND: FeatureKind;

    /// The set with these bits, known or not.
    #[doc(hidden)]
    fn from_raw(bits: u32) -> Self;
}

macro_rules! feature_flags {
    ($($type:ident = $kind:ident;)*) => {
        $(
            impl private::Sealed for $type {}

            impl FeatureFlags for $type {
                const KIND: FeatureKind = FeatureKind::$kind;

                fn from_raw(bits: u32) -> Self {
                    Self::from_bits_retain(bits)
                }
            }
        )*
    };
}

feature_flags! {
    CpuFeatureFlags = CPU;
    AddressTaggingFeatureFlags = ADDRESS_TAGGING;
    VmFeatureFlags = VM;
}

/// What the machine can do, of the kind that the caller wants to know.
///
/// # Errors
/// - `NOT_SUPPORTED`: the kernel does not know this kind.
pub fn system_get_feature_flags<F: FeatureFlags>() -> Result<F, Status> {
    let mut features = 0;
    // SAFETY: `features` is a live local that the call may write.
    ok(unsafe { sys::zx_system_get_features(F::KIND.into_raw(), &mut features) })?;
    Ok(F::from_raw(features))
}
