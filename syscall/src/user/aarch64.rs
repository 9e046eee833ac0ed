//! The call instruction of aarch64.

/// Makes the call `$number` with up to eight arguments of type `usize` and yields the result register.
macro_rules! raw_call {
    ($number:expr
        $(, $a0:expr $(, $a1:expr $(, $a2:expr $(, $a3:expr
        $(, $a4:expr $(, $a5:expr $(, $a6:expr $(, $a7:expr)?)?)?)?)?)?)?)?) => {{
        let number: usize = $number;
        let result: usize;
        core::arch::asm!(
            "svc 0",
            in("x16") number,
            $(in("x0") $a0, $(in("x1") $a1, $(in("x2") $a2, $(in("x3") $a3,
            $(in("x4") $a4, $(in("x5") $a5, $(in("x6") $a6, $(in("x7") $a7,)?)?)?)?)?)?)?)?
            lateout("x0") result,
            options(nostack),
        );
        result
    }};
}
