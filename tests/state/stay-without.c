/* SPDX-License-Identifier: MIT */
/* Never uses the floating-point and vector units while others do; they are off, and at the end it finds zeros there. */
#include "units.h"

void main(void)
{
	uint64_t length;

	set_status(FS, OFF);
	set_status(VS, OFF);
	for (unsigned i = 0; i < 3000; i++)
		give_way(500);
	expect("sstatus", 0, CSR_READ(SSTATUS) & (FS | VS), 0);
	expect("floating point that is off", 0, TRY("csrr t3, 0x003", ::: "t3"), ILLEGAL);
	expect("vectors that are off", 0, TRY("csrr t3, 0xc22", ::: "t3"), ILLEGAL);
	length = find_vectors();
	units_expect_fresh(length);
}
