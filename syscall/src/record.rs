//! How records that cross the boundary are declared.

/// Declares a record, its derives, and the layout that must hold.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident: $size:literal {
            $($(#[$field_doc:meta])* $offset:literal $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, Eq, PartialEq,
            zerocopy::FromBytes, zerocopy::Immutable, zerocopy::IntoBytes, zerocopy::KnownLayout,
        )]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        const _: () = {
            assert!(core::mem::size_of::<$name>() == $size);
            $(assert!(core::mem::offset_of!($name, $field) == $offset);)*
        };
    };
}
