/** What an error means and what to do next, for people. */
export interface ErrorText {
  readonly message: string;
  readonly remedy: string;
}

export const text = (message: string, remedy: string): ErrorText => ({ message, remedy });
