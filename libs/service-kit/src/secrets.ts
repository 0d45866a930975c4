/** The text with the password of every URL in it replaced by "[hidden]". */
export function hideSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@?#]*:)[^\s/?#]*@/gi, '$1[hidden]@')
    .replace(/([?&](?:password|secret|token)=)[^&\s#]*/gi, '$1[hidden]');
}
