//! What a handle allows.

bitflags::bitflags! {
    /// What the holder of a handle may do with its object.
    ///
    /// Rights only shrink: a duplicate has the same ones or fewer.
    ///
    /// Source: `docs/spec/abi.md` §3.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct Rights: u32 {
        /// May be duplicated.
        const DUPLICATE = 1 << 0;
        /// May be sent to another process.
        const TRANSFER = 1 << 1;
        /// May read contents or state.
        const READ = 1 << 2;
        /// May change contents or state.
        const WRITE = 1 << 3;
        /// May be mapped executable.
        const EXECUTE = 1 << 4;
        /// May be mapped.
        const MAP = 1 << 5;
        /// May read properties.
        const GET_PROPERTY = 1 << 6;
        /// May change properties.
        const SET_PROPERTY = 1 << 7;
        /// May list child objects.
        const ENUMERATE = 1 << 8;
        /// May end the object.
        const DESTROY = 1 << 9;
        /// May set policies.
        const SET_POLICY = 1 << 10;
        /// May read policies.
        const GET_POLICY = 1 << 11;
        /// May set the object's user signals.
        const SIGNAL = 1 << 12;
        /// May set the peer's user signals.
        const SIGNAL_PEER = 1 << 13;
        /// May wait for signals.
        const WAIT = 1 << 14;
        /// May ask for information.
        const INSPECT = 1 << 15;
        /// May manage a job.
        const MANAGE_JOB = 1 << 16;
        /// May manage a process.
        const MANAGE_PROCESS = 1 << 17;
        /// May manage a thread.
        const MANAGE_THREAD = 1 << 18;
        /// May apply a scheduling profile.
        const APPLY_PROFILE = 1 << 19;
        /// May manage a socket.
        const MANAGE_SOCKET = 1 << 20;
        /// May act on the child regions of a VMAR.
        const OP_CHILDREN = 1 << 21;
        /// May change the size of a resizable VMO.
        const RESIZE = 1 << 22;
        /// May attach VMOs to a pager.
        const ATTACH_VMO = 1 << 23;
        /// May manage the VMOs of a pager.
        const MANAGE_VMO = 1 << 24;
        /// Asks for the same rights as the original; only an argument, never held.
        const SAME_RIGHTS = 1 << 31;
    }
}

/// The usual groups.
impl Rights {
    /// No rights.
    pub const NONE: Self = Self::empty();
    /// Every right that a handle can hold.
    pub const ALL: Self = Self::all().difference(Self::SAME_RIGHTS);
    /// What nearly every handle allows.
    pub const BASIC: Self = Self::TRANSFER
        .union(Self::DUPLICATE)
        .union(Self::WAIT)
        .union(Self::INSPECT);
    /// Reading and writing.
    pub const IO: Self = Self::READ.union(Self::WRITE);
    /// Reading and changing properties.
    pub const PROPERTY: Self = Self::GET_PROPERTY.union(Self::SET_PROPERTY);
    /// Reading and setting policies.
    pub const POLICY: Self = Self::GET_POLICY.union(Self::SET_POLICY);

    const DUPLICABLE_VMAR: Self = Self::BASIC.difference(Self::WAIT).union(Self::OP_CHILDREN);
    const TASK: Self = Self::BASIC
        .union(Self::IO)
        .union(Self::PROPERTY)
        .union(Self::DESTROY)
        .union(Self::SIGNAL);
}

/// What the creating call gives.
impl Rights {
    /// Of a new channel end.
    pub const CHANNEL_DEFAULT: Self = Self::BASIC
        .difference(Self::DUPLICATE)
        .union(Self::IO)
        .union(Self::SIGNAL)
        .union(Self::SIGNAL_PEER);
    /// Of a new event.
    pub const EVENT_DEFAULT: Self = Self::BASIC.union(Self::SIGNAL);
    /// Of each end of a new event pair.
    pub const EVENTPAIR_DEFAULT: Self = Self::EVENT_DEFAULT.union(Self::SIGNAL_PEER);
    /// Of a new port.
    pub const PORT_DEFAULT: Self = Self::BASIC.difference(Self::WAIT).union(Self::IO);
    /// Of a new process.
    pub const PROCESS_DEFAULT: Self = Self::TASK
        .union(Self::ENUMERATE)
        .union(Self::MANAGE_PROCESS)
        .union(Self::MANAGE_THREAD);
    /// Of a new thread.
    pub const THREAD_DEFAULT: Self = Self::TASK.union(Self::MANAGE_THREAD);
    /// Of a new job.
    pub const JOB_DEFAULT: Self = Self::PROCESS_DEFAULT
        .union(Self::POLICY)
        .union(Self::MANAGE_JOB);
    /// Of a new VMAR without mapping capabilities; READ, WRITE and EXECUTE are added for those it has.
    pub const VMAR_DEFAULT: Self = Self::DUPLICABLE_VMAR;
    /// Of the root VMAR of a new process.
    pub const VMAR_ROOT_DEFAULT: Self = Self::VMAR_DEFAULT.union(Self::IO).union(Self::EXECUTE);
    /// Of a new VMO; RESIZE is added if it is resizable.
    pub const VMO_DEFAULT: Self = Self::BASIC
        .union(Self::IO)
        .union(Self::PROPERTY)
        .union(Self::MAP)
        .union(Self::SIGNAL);
    /// Of a new pager.
    pub const PAGER_DEFAULT: Self = Self::INSPECT
        .union(Self::TRANSFER)
        .union(Self::ATTACH_VMO)
        .union(Self::MANAGE_VMO);
    /// Of a new resource.
    pub const RESOURCE_DEFAULT: Self = Self::TRANSFER
        .union(Self::DUPLICATE)
        .union(Self::WRITE)
        .union(Self::INSPECT);
    /// Of a new IOMMU.
    pub const IOMMU_DEFAULT: Self = Self::BASIC.difference(Self::WAIT);
    /// Of a new bus transaction initiator.
    pub const BTI_DEFAULT: Self = Self::IOMMU_DEFAULT
        .union(Self::IO)
        .union(Self::MAP)
        .union(Self::PROPERTY);
    /// Of an exception.
    pub const EXCEPTION_DEFAULT: Self = Self::TRANSFER.union(Self::PROPERTY).union(Self::INSPECT);
    /// Of a suspend token.
    pub const SUSPEND_TOKEN_DEFAULT: Self = Self::TRANSFER.union(Self::INSPECT);
}

#[cfg(test)]
mod tests {
    use super::Rights;

    #[test]
    fn groups_and_defaults_have_the_documented_bits() {
        let table = [
            (Rights::BASIC, 0xc003),
            (Rights::IO, 0xc),
            (Rights::PROPERTY, 0xc0),
            (Rights::POLICY, 0xc00),
            (Rights::CHANNEL_DEFAULT, 0xf00e),
            (Rights::EVENT_DEFAULT, 0xd003),
            (Rights::EVENTPAIR_DEFAULT, 0xf003),
            (Rights::PORT_DEFAULT, 0x800f),
            (Rights::PROCESS_DEFAULT, 0x6_d3cf),
            (Rights::THREAD_DEFAULT, 0x4_d2cf),
            (Rights::JOB_DEFAULT, 0x7_dfcf),
            (Rights::VMAR_DEFAULT, 0x20_8003),
            (Rights::VMAR_ROOT_DEFAULT, 0x20_801f),
            (Rights::VMO_DEFAULT, 0xd0ef),
            (Rights::VMO_DEFAULT.union(Rights::RESIZE), 0x40_d0ef),
            (Rights::PAGER_DEFAULT, 0x180_8002),
            (Rights::RESOURCE_DEFAULT, 0x800b),
            (Rights::IOMMU_DEFAULT, 0x8003),
            (Rights::BTI_DEFAULT, 0x80ef),
            (Rights::EXCEPTION_DEFAULT, 0x80c2),
            (Rights::SUSPEND_TOKEN_DEFAULT, 0x8002),
        ];
        for (rights, bits) in table {
            assert_eq!(rights.bits(), bits, "{rights:?}");
        }
    }

    #[test]
    fn the_marker_is_not_a_right() {
        assert!(!Rights::ALL.contains(Rights::SAME_RIGHTS));
        assert_eq!(Rights::ALL.bits(), 0x01ff_ffff);
    }
}
