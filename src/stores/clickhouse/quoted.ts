/** A text as a literal of ClickHouse's SQL. */
export const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
