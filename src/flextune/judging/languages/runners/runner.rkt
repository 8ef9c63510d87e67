;; Runs one Racket program as the main module and tells, over descriptor 4, how far it came.
;;
;; In the smallest of Racket's languages, since this file is compiled for every program.
(module runner '#%kernel
  (define-values (secret)
    (let-values ([(pipe) (open-input-file "/dev/fd/3")])
      (begin0 (read-bytes 32 pipe)
              (close-input-port pipe))))
  (define-values (channel) (open-output-file "/dev/fd/4" 'append))
  (define-values (report)
    (lambda (said)
      (begin (write-bytes said channel)
             (flush-output channel))))
  (report #"S")

  (define-values (path) (string->path (vector-ref (current-command-line-arguments) 0)))
  (define-values (tag) (vector-ref (current-command-line-arguments) 1))
  (current-command-line-arguments (vector))

  ;; Whether an exception ended `body`; it has then been shown.
  (define-values (fails?)
    (lambda (body)
      (call-with-continuation-prompt
       (lambda () (begin (body) #f))
       (default-continuation-prompt-tag)
       (lambda ignored #t))))

  (define-values (fail)
    (lambda (said)
      (begin (report said)
             (exit 1))))

  ;; What `racket FILE` does: the module, and around it what it says on how to run it.
  (define-values (require-part)
    (lambda (name)
      (let-values ([(part) (list 'submod path name)])
        (if (module-declared? part #t)
            (dynamic-require part #f)
            (void)))))

  ;; rackunit shows a failed check and goes on; it counts failures and checks in its log, which is there if the program
  ;; has it.
  (define-values (checks)
    (lambda ()
      (if (module-declared? 'rackunit/log #f)
          ((dynamic-require 'rackunit/log 'test-log))
          (cons 0 0))))

  ;; Two of the program's expressions are the judge's: a text before the tests, the tag and how many checks they make at
  ;; least, and one after them, the tag. Nothing else prints them.
  (define-values (least) 0)
  (define-values (before) 0)
  (define-values (marks) 0)
  (define-values (mark)
    (lambda (said)
      (begin
        ;; One before the tests, then one after them.
        (set! marks (if (= marks (if (> (string-length said) 32) 0 1)) (add1 marks) -1))
        (if (> (string-length said) 32)
            (begin
              (set! least (string->number (substring said 33)))
              (set! before (cdr (checks))))
            (void)))))
  (define-values (mark?)
    (lambda (value)
      (if (string? value)
          (if (> (string-length tag) 0)
              (if (>= (string-length value) 32) (string=? (substring value 0 32) tag) #f)
              #f)
          #f)))
  (define-values (watch)
    (lambda (show)
      (lambda (value) (if (mark? value) (mark value) (show value)))))

  (define-values (finish)
    (lambda ()
      (if (> (car (checks)) 0)
          (report #"A")
          (if (if (= marks 2) (>= (- (cdr (checks)) before) least) #f)
              (report secret)
              (void)))))

  ;; The program and its language are looked up from here.
  (namespace-require ''#%kernel)
  (if (fails? (lambda () (module-declared? path #t)))
      (fail #"C")
      (report #"R"))
  ;; Tests may end in `(exit)`.
  (exit-handler
   (let-values ([(leave) (exit-handler)])
     (lambda (status)
       (begin
         (if (if (= marks 2) (if (exact-integer? status) (= status 0) #t) #f) (finish) (void))
         (leave status)))))
  (define-values (failed)
    (fails? (lambda ()
              (begin (require-part 'configure-runtime)
                     (current-print (watch (current-print)))
                     (dynamic-require path #f)
                     (require-part 'main)))))
  (set! marks (if failed 0 marks))
  (if (> (car (checks)) 0)
      (fail #"A")
      (if failed
          (fail #"E")
          (finish))))
