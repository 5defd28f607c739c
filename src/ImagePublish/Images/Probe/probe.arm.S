// http-healthcheck for Linux on ARM, 32 bits: see probe.x64.S.
    .arch   armv7-a
    .syntax unified
    .arm
    .text
file:
    .byte   0x7f, 'E', 'L', 'F', 1, 1, 1, 0
    .long   0, 0
    .short  2, 40
    .long   1
    .long   0x10000 + (start - file)
    .long   segments - file
    .long   0
    .long   0x05000000                  // EABI 5
    .short  52, 32, 2, 40, 0, 0
segments:
    .long   1, 0, 0x10000, 0x10000, end - file, end - file, 5, 0x10000      // PT_LOAD, read and execute
    .long   0x6474e551, 0, 0, 0, 0, 0, 6, 16                                // PT_GNU_STACK, not executable

start:
    mov     r4, sp
    ldr     r0, [r4]
    cmp     r0, #4
    mov     r0, #2
    blo     exit
    sub     sp, sp, #96                 // [sp]: address, [sp+16]: timer, [sp+32]: vector, [sp+56]: answer

    ldr     r1, [r4, #8]                // PORT
    mov     lr, pc                      // not bl, which is left to a linker
    b       number
    rev16   r0, r0
    uxth    r0, r0
    lsl     r0, r0, #16
    orr     r0, r0, #2                  // AF_INET
    movw    r1, #0x007f
    movt    r1, #0x0100
    mov     r2, #0
    mov     r3, #0
    stm     sp, {r0, r1, r2, r3}

    ldr     r1, [r4, #16]               // SECONDS
    mov     lr, pc                      // not bl, which is left to a linker
    b       number
    mov     r2, #0
    str     r2, [sp, #16]
    str     r2, [sp, #20]
    str     r0, [sp, #24]
    str     r2, [sp, #28]
    mov     r0, #0                      // setitimer(ITIMER_REAL, timer, 0)
    add     r1, sp, #16
    mov     r7, #104
    svc     #0

    mov     r0, #2                      // socket(AF_INET, SOCK_STREAM, 0)
    mov     r1, #1
    mov     r2, #0
    movw    r7, #281
    svc     #0
    cmp     r0, #0
    blt     fail
    mov     r5, r0

    mov     r6, #20                     // SO_RCVTIMEO, then SO_SNDTIMEO
option:
    mov     r0, r5                      // setsockopt(socket, SOL_SOCKET, option, timer.value, 8)
    mov     r1, #1
    mov     r2, r6
    add     r3, sp, #24
    mov     r8, r4
    mov     r4, #8
    movw    r7, #294
    svc     #0
    mov     r4, r8
    add     r6, r6, #1
    cmp     r6, #22
    blo     option

    mov     r0, r5                      // connect(socket, address, 16)
    mov     r1, sp
    mov     r2, #16
    movw    r7, #283
    svc     #0
    cmp     r0, #0
    blt     fail

    adr     r0, head
    mov     r1, #4
    ldr     r2, [r4, #12]               // PATH
    mov     r3, #0
length:
    ldrb    r8, [r2, r3]
    cmp     r8, #0
    beq     counted
    add     r3, r3, #1
    b       length
counted:
    adr     r8, tail
    mov     r9, #79
    add     r10, sp, #32
    stm     r10, {r0, r1, r2, r3, r8, r9}
    mov     r0, r5                      // writev(socket, vector, 3)
    mov     r1, r10
    mov     r2, #3
    mov     r7, #146
    svc     #0
    cmp     r0, #0
    blt     fail

    mov     r6, #0
answer:
    mov     r0, r5                      // read(socket, answer + n, 12 - n)
    add     r1, sp, #56
    add     r1, r1, r6
    rsb     r2, r6, #12
    mov     r7, #3
    svc     #0
    cmp     r0, #0
    ble     fail
    add     r6, r6, r0
    cmp     r6, #12
    blo     answer

    ldr     r0, [sp, #56]
    movw    r1, #0x5448                 // HTTP
    movt    r1, #0x5054
    cmp     r0, r1
    bne     fail
    ldrb    r0, [sp, #60]
    cmp     r0, #'/'
    bne     fail
    ldrb    r0, [sp, #64]
    cmp     r0, #' '
    bne     fail
    ldrb    r1, [sp, #65]
    mov     r0, #0
    sub     r1, r1, #'2'
    cmp     r1, #1
    bls     exit
fail:
    mov     r0, #1
exit:
    mov     r7, #248                    // exit_group
    svc     #0

number:                                 // r1: digits; r0: their number
    mov     r0, #0
    mov     r3, #10
digit:
    ldrb    r2, [r1], #1
    sub     r2, r2, #'0'
    cmp     r2, #9
    bxhi    lr
    mla     r0, r0, r3, r2
    b       digit

    .balign 4
head:
    .ascii  "GET "
head_end:
tail:
    .ascii  " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: http-healthcheck\r\nConnection: close\r\n\r\n"
tail_end:
    .if head_end - head != 4 || tail_end - tail != 79
    .error "The lengths above are others."
    .endif
    .balign 8
end:
