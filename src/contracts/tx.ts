declare const opaque: unique symbol;

/** A transaction of the state database. Only `stores/postgres` opens one and only it can look inside. */
export interface Tx {
  readonly [opaque]: "tx";
}
