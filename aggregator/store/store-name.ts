/** The fact by which a history's file is told from others: the number of an event means another event there. */

export const STORE_NAME = 'store-name'
