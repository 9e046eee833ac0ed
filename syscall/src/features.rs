//! What `system_get_features` tells about the machine.

/// The number of a sort of features.
///
/// Source: `docs/spec/abi.md` §7.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct FeatureKind(u32);

impl FeatureKind {
    /// Instructions: [`CpuFeatureFlags`].
    pub const CPU: Self = Self(0);
    /// How many breakpoints of the CPU a debugger can use.
    pub const HW_BREAKPOINT_COUNT: Self = Self(1);
    /// How many watchpoints of the CPU a debugger can use.
    pub const HW_WATCHPOINT_COUNT: Self = Self(2);
    /// Bits of an address that the CPU ignores: [`AddressTaggingFeatureFlags`].
    pub const ADDRESS_TAGGING: Self = Self(3);
    /// Virtual memory: [`VmFeatureFlags`].
    pub const VM: Self = Self(4);

    /// The kind with this number, known or not.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number of this kind.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

bitflags::bitflags! {
    /// What instructions there are.
    ///
    /// Jacinth tells only that it was asked a valid question: programs on x86-64 ask the CPU itself.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct CpuFeatureFlags: u32 {
        /// Always set.
        const HAS_CPU_FEATURES = 1 << 0;
        const _ = !0;
    }
}

bitflags::bitflags! {
    /// Which bits of an address programs may use for themselves.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct AddressTaggingFeatureFlags: u32 {
        /// The top byte (aarch64).
        const ARM64_FEATURE_ADDRESS_TAGGING_TBI = 1 << 0;
        const _ = !0;
    }
}

bitflags::bitflags! {
    /// What virtual memory can do.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct VmFeatureFlags: u32 {
        /// Pages can be executable without being readable.
        const VM_FEATURE_CAN_MAP_XOM = 1 << 0;
        const _ = !0;
    }
}
