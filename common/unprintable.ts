/** Characters that a screen obeys instead of showing. Text from a node may hold any of them. */

/** C0 and C1 controls and DEL move the cursor or worse; the others reorder or hide what is read. */
export const UNPRINTABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu
